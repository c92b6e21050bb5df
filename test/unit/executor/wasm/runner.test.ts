import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { placeOf } from '../../../../src/executor/wasm/bundle-path.ts'
import { processStart, signalProcess } from '../../../../src/executor/wasm/process-identity.ts'
import { runnerFlags } from '../../../../src/executor/wasm/runner-process.ts'

const run = promisify(execFile)

test('the runner is found beside the sources and in the bundle, from its entry and from a chunk', () => {
  assert.deepEqual(placeOf('runner', 'file:///n/src/executor/wasm/x.ts'), {
    script: '/n/src/executor/wasm/runner.ts',
    root: '/n/src'
  })
  const bundled = { script: '/n/dist/wasm-worker.js', root: '/n/dist' }
  assert.deepEqual(placeOf('worker', 'file:///n/dist/nunet.js'), bundled)
  assert.deepEqual(placeOf('worker', 'file:///n/dist/chunks/chunk-AB.js'), bundled)
})

test('even code that broke out of the module would have no files, no processes and, where Node can, no network', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nunet-runner-'))
  const server = createServer(socket => socket.destroy())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const script = join(directory, 'probe.mjs')
  await writeFile(
    script,
    `import { readFileSync, writeFileSync } from 'node:fs'
     import { execFileSync } from 'node:child_process'
     import { connect } from 'node:net'
     const codes = {}
     const attempt = (name, work) => { try { work(); codes[name] = 'allowed' } catch (error) { codes[name] = error.code } }
     attempt('read', () => readFileSync('/etc/hostname'))
     attempt('write', () => writeFileSync(${JSON.stringify(join(directory, 'x'))}, ''))
     attempt('spawn', () => execFileSync('/bin/true'))
     codes.environment = Object.keys(process.env).length
     const told = () => console.log(JSON.stringify(codes))
     try {
       connect(${port}, '127.0.0.1').on('connect', () => { codes.net = 'allowed'; told() })
         .on('error', error => { codes.net = error.code; told() })
     } catch (error) { codes.net = error.code; told() }`
  )
  try {
    const { stdout } = await run(process.execPath, [...runnerFlags(directory, 16), script], { env: {} })
    const denied = 'ERR_ACCESS_DENIED'
    // Node 24's permission model does not cover the network; there the module's lack of sockets is the only wall.
    const coversNetwork = process.allowedNodeEnvironmentFlags.has('--allow-net')
    assert.deepEqual(JSON.parse(stdout), {
      read: denied,
      write: denied,
      spawn: denied,
      environment: 0,
      net: coversNetwork ? denied : 'allowed'
    })
  } finally {
    server.close()
    await rm(directory, { recursive: true, force: true })
  }
})

test('a process is known by its id together with its start, and no other is sent a signal', async () => {
  const own = await processStart(process.pid)
  assert.ok(own)
  assert.equal(await processStart(process.pid), own)
  assert.equal(await signalProcess(process.pid, `${own}0`, 'SIGKILL'), false)
  for (const pid of [0, 1, -1, 1.5, Number.NaN, 2 ** 31]) assert.equal(await processStart(pid), undefined)
})
