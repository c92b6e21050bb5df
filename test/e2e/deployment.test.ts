/**
 * The main job with three daemons: one deploys, two provide. The compatible commands and the human ones, tasks and
 * services, success, failure and refusal, with WASM everywhere and with Docker where there is one.
 */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import loadWabt from 'wabt'
import {
  CLI,
  createNetwork,
  EXAMPLES,
  Lab,
  type LabNode,
  NODE_BINARY,
  readPath
} from '../../scripts/lab/lab.ts'
import { freePublicPort } from '../../scripts/lab/ports.ts'
import { containersOf, wasmRunnersOf } from '../../scripts/lab/workloads.ts'
import {
  assertFailedPlainly,
  assertNothingAllocated,
  deployByActor,
  docker,
  dockerImage,
  fetchPatiently,
  nameOf,
  needsDocker,
  peerOf,
  until,
  untilStatus,
  wasm,
  writeEnsemble
} from './support.ts'

/** A refusal is known when all providers have answered; waiting for the end of a window would take longer. */
const REFUSED_AT_ONCE_MS = 5000

const image = await dockerImage()
const withDocker = needsDocker(image)

/** A module that writes to its standard error and exits with a code. */
async function moduleThatExits(code: number): Promise<string> {
  const wabt = await loadWabt()
  const module = wabt.parseWat(
    'exits.wat',
    `(module
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\\10\\00\\00\\00\\0d\\00\\00\\00")
      (data (i32.const 16) "out of cheese")
      (func (export "_start")
        (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
        (call $exit (i32.const ${code}))))`
  )
  const { buffer } = module.toBinary({})
  module.destroy()
  return `data:application/wasm;base64,${Buffer.from(buffer).toString('base64')}`
}

describe('three daemons', () => {
  const lab = new Lab()
  let alice: LabNode
  let bob: LabNode
  let carol: LabNode

  before(async () => {
    const [first, second, third] = await createNetwork(lab, ['alice', 'bob', 'carol'])
    assert.ok(first && second && third)
    ;[alice, bob, carol] = [first, second, third]
  })
  after(async () => {
    await lab[Symbol.asyncDispose]()
    if (typeof image !== 'string') await image.undo()
  })

  async function assertEverythingGivenBack(): Promise<void> {
    await Promise.all([bob, carol].map(assertNothingAllocated))
    assert.deepEqual(await wasmRunnersOf(lab.directory), [])
    assert.deepEqual((await Promise.all([bob, carol].map(({ peerId }) => containersOf(peerId)))).flat(), [])
  }

  /** Starts a command and hands out its lines as they come. */
  function follow(args: readonly string[]): {
    lines: AsyncIterator<string>
    end(): Promise<number | null>
    /** As a reader that goes away: `| head`. */
    hangUp(): void
  } {
    const child = spawn(NODE_BINARY, [CLI, ...args], {
      cwd: alice.directory,
      env: lab.environment(alice.directory),
      stdio: ['ignore', 'pipe', 'inherit']
    })
    const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
    return {
      lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](),
      end: () => ended,
      hangUp: () => void child.stdout.destroy()
    }
  }

  describe('by the compatible commands', () => {
    let id = ''

    it('a task runs on a provider and completes', async () => {
      id = await deployByActor(alice, join(EXAMPLES, 'hello-task.yaml'))
      assert.match(id, /^[0-9a-f]{64}$/)
      await untilStatus(alice, id, 'Completed')
    })

    it('its status, manifest, information and place in the list say so', async () => {
      const [status, manifest, info, list] = await Promise.all([
        alice.cmd('/dms/node/deployment/status', '--id', id),
        alice.cmd('/dms/node/deployment/manifest', '--id', id),
        alice.cmd('/dms/node/deployment/info', '--id', id),
        alice.cmd('/dms/node/deployment/list', '--status', 'completed')
      ])
      assert.deepEqual(status, { status: 'Completed', error: '' })
      const peer = readPath(manifest, ['manifest', 'nodes', 'anywhere', 'peer'])
      assert.ok([bob.peerId, carol.peerId].includes(String(peer)))
      const allocation = readPath(manifest, ['manifest', 'allocations', 'anywhere.hello'])
      assert.equal(readPath(allocation, ['status']), 'completed')
      assert.equal(readPath(allocation, ['exit_code']), 0)
      assert.equal(info['status'], 'Completed')
      assert.equal(readPath(list, ['deployments', '0', 'orchestrator_id']), id)
    })

    it('its output is fetched to the disk of the node, and nothing of it is lost', async () => {
      const reply = await alice.cmd('/dms/node/deployment/logs', '--id', id, '--allocation', 'anywhere.hello')
      assert.equal(reply['Error'], '')
      const output = await readFile(join(String(reply['LogsWrittenTo']), 'stdout.log'), 'utf8')
      assert.match(output, /^Hello from a NuNet node!\nargument: world\n/)
    })

    it('a service runs until it is shut down, and the provider has everything back', async () => {
      const service = wasm('ticker', { type: 'service' })
      const file = await writeEnsemble(
        alice,
        'service',
        { ticker: service },
        { one: { allocations: ['ticker'] } }
      )
      const serviceId = await deployByActor(alice, file)
      await untilStatus(alice, serviceId, 'Running')
      const provider = (await peerOf(alice, serviceId, 'one')) === bob.peerId ? bob : carol
      assert.equal((await wasmRunnersOf(provider.directory)).length, 1)
      const allocated = await provider.cmd('/dms/node/resources/allocated')
      assert.equal(readPath(allocated, ['Resources', 'cpu', 'cores']), 0.25)

      const reply = await alice.cmd('/dms/node/deployment/shutdown', '--id', serviceId)
      assert.deepEqual(reply, { OK: true, Error: '' })
      await assertEverythingGivenBack()
      await untilStatus(alice, serviceId, 'Completed')
      const again = await alice.cmd('/dms/node/deployment/shutdown', '--id', serviceId)
      assert.match(String(again['Error']), /not running/)
    })

    it('a deployment nobody knows is told in the reply', async () => {
      const reply = await alice.cmd('/dms/node/deployment/status', '--id', 'f'.repeat(64))
      assert.match(String(reply['error'] ?? reply['Error']), /not found|there is no/)
    })
  })

  describe('by the human commands', () => {
    it('two tasks run on two machines; the output comes live, then the result', async () => {
      const result = await alice.try(['deploy', '--logs', join(EXAMPLES, 'primes.yaml')])
      assert.equal(result.code, 0, result.stderr)
      assert.match(result.stdout, /left\.hundred-thousand \| .*9592/)
      assert.match(result.stdout, /right\.million \| .*78498/)
      assert.match(result.stderr, /all tasks are done/)
      const id = /^deployment ([0-9a-f]{64})$/m.exec(result.stderr)?.[1] ?? ''
      const peers = await Promise.all(['left', 'right'].map(node => peerOf(alice, id, node)))
      assert.deepEqual(peers.toSorted(), [bob.peerId, carol.peerId].toSorted())
      await assertEverythingGivenBack()
    })

    it('a failing task is told with its exit code and what it wrote', async () => {
      const fails = wasm(await moduleThatExits(7))
      const file = await writeEnsemble(alice, 'fails', { fails }, { one: { allocations: ['fails'] } })
      const result = await alice.try(['deploy', '--logs', '--output', 'json', file])
      assert.equal(result.code, 1)
      assert.match(result.stderr, /out of cheese/)
      assert.match(result.stderr, /Error: deployment failed\n.*\n.*'one\.fails' failed with exit code 7/)
      const outcome: unknown = JSON.parse(result.stdout)
      assert.equal(readPath(outcome, ['allocations', '0', 'name']), 'one.fails')
      assert.equal(readPath(outcome, ['allocations', '0', 'exit_code']), 7)
      assert.match(String(readPath(outcome, ['allocations', '0', 'status'])), /failed/)
      await assertEverythingGivenBack()
    })

    it('one task that fails beside one that succeeds is a partial success', async () => {
      const file = await writeEnsemble(
        alice,
        'partly',
        { fails: wasm(await moduleThatExits(7)), works: wasm('hello') },
        { one: { allocations: ['fails'] }, two: { allocations: ['works'] } }
      )
      const { code, stderr } = await alice.try(['deploy', file])
      assert.equal(code, 5, stderr)
      assert.match(stderr, /one\.fails: .*exit code 7/)
    })

    it('a service is deployed, listed, followed and stopped', async () => {
      const service = wasm('ticker', { type: 'service' })
      const file = await writeEnsemble(
        alice,
        'ticker',
        { ticker: service },
        { one: { allocations: ['ticker'] } }
      )
      const id = await alice.run(['deploy', '--detach', file])
      assert.match(id, /^[0-9a-f]{64}$/)
      const row = await until('it runs', async () => {
        const rows: unknown = JSON.parse(await alice.run(['ps', '--output', 'json']))
        const own = Array.isArray(rows) ? rows.find(candidate => candidate.id === id) : undefined
        return readPath(own, ['allocations', '0', 'status']) === 'running' && own
      })
      assert.equal(row.status, 'Running')
      assert.match(await alice.run(['ps']), new RegExp(`^${id.slice(0, 12)} .*Running.*one\\.ticker`, 'm'))

      // An empty pipe would show that logs only come at the end.
      const logs = follow(['logs', '-f', id.slice(0, 10)])
      for (const tick of ['tick 1', 'tick 2', 'tick 3'])
        assert.deepEqual(await logs.lines.next(), { value: tick, done: false })
      const unread = follow(['logs', '-f', id])
      await unread.lines.next()
      unread.hangUp()
      assert.equal(await unread.end(), 0)

      assert.equal(await alice.run(['stop', id.slice(0, 10)]), id)
      assert.equal(await logs.end(), 0)
      await assertEverythingGivenBack()
    })

    it('Ctrl-C ends the watching, not the deployment', async () => {
      const service = wasm('ticker', { type: 'service' })
      const file = await writeEnsemble(
        alice,
        'watched',
        { ticker: service },
        { one: { allocations: ['ticker'] } }
      )
      const id = await alice.run(['deploy', '-d', file])
      await untilStatus(alice, id, 'Running')
      const child = lab.spawn(alice.directory, ['logs', '-f', id])
      await new Promise(resolve => child.stdout?.once('data', resolve))
      child.kill('SIGINT')
      assert.equal(await new Promise(resolve => child.once('exit', resolve)), 130)
      await untilStatus(alice, id, 'Running')
      await alice.run(['stop', id])
    })
  })

  describe('what cannot be deployed', () => {
    it('a wrong ensemble is told with file, line, path and what was expected, all at once, before anything is sent', async () => {
      const file = join(alice.directory, 'broken.yaml')
      await writeFile(
        file,
        `version: "V1"
allocations:
  web:
    type: servce
    executor: wasm
    resources: { cpu: { cores: 1 }, ram: { size: 64 MiB }, disk: { size: five } }
    execution:
      type: wasm
      module: ./hello.wasm
nodes:
  front:
    allocations: [wbe]
`
      )
      for (const command of [
        ['deploy', file],
        ['actor', 'cmd', '-c', 'user', '/dms/node/deployment/new', '-f', file]
      ]) {
        const { code, stdout, stderr } = await alice.try(command)
        assert.equal(code, 1)
        assert.equal(stdout, '')
        assert.match(
          stderr,
          /broken\.yaml:4:11: allocations\.web\.type: expected 'service' or 'task', found 'servce'/
        )
        assert.match(
          stderr,
          /broken\.yaml:6:\d+: allocations\.web\.resources\.disk\.size: expected a size .*'five'/
        )
        assert.match(stderr, /broken\.yaml:12:\d+: nodes\.front\.allocations\[0\]: expected .*'web'.*'wbe'/)
        assert.match(stderr, /did you mean 'service'/)
        assert.doesNotMatch(stderr, /\n\s+at /)
      }
    })

    it('a file that is not there is told in a line', async () => {
      assertFailedPlainly(await alice.try(['deploy', 'nowhere.yaml']), /nowhere\.yaml/)
    })

    it('one that is too big is refused at once, with what each provider lacks for each node', async () => {
      const huge = { cpu: { cores: 512 }, ram: { size: '4 TiB' }, disk: { size: '1 GiB' } }
      const giant = { ...wasm('hello'), resources: huge }
      const file = await writeEnsemble(
        alice,
        'giants',
        { giant, second: giant },
        { left: { allocations: ['giant'] }, right: { allocations: ['second'] } }
      )
      const result = await alice.try(['deploy', file])
      assert.equal(result.code, 1)
      assert.ok(result.ms < REFUSED_AT_ONCE_MS, `it took ${Math.round(result.ms)} ms`)
      assert.match(result.stderr, /^Error: deployment failed/m)
      const [, left = '', right = ''] = result.stderr.split(/nobody bid for node '(?:left|right)'/)
      for (const reasons of [left, right]) {
        for (const { peerId } of [bob, carol])
          assert.match(
            reasons,
            new RegExp(`'${peerId}' cannot take it.*\\n.*asked 512 cores, 1 free.*\\n.*asked 4 TiB of RAM`)
          )
      }
    })

    it('more nodes than machines are refused at once', async () => {
      const hello = wasm('hello')
      const file = await writeEnsemble(
        alice,
        'crowd',
        { a: hello, b: hello, c: hello },
        { one: { allocations: ['a'] }, two: { allocations: ['b'] }, three: { allocations: ['c'] } }
      )
      const result = await alice.try(['deploy', file])
      assert.equal(result.code, 1, result.stderr)
      assert.ok(result.ms < REFUSED_AT_ONCE_MS, `it took ${Math.round(result.ms)} ms`)
      assert.match(result.stderr, /all peers that bid for node '\w+' are needed by other nodes/)
    })
  })

  describe('with Docker', () => {
    it('a web service answers on its published port until it is stopped', withDocker, async () => {
      const port = await freePublicPort()
      const script = 'echo "hello from the network" > /tmp/index.html; exec httpd -f -p 8080 -h /tmp'
      const file = await writeEnsemble(
        alice,
        'web',
        { web: docker(nameOf(image), script) },
        { front: { allocations: ['web'], ports: [{ public: port, private: 8080, allocation: 'web' }] } }
      )
      const deployed = await alice.try(['deploy', '--output', 'json', file])
      assert.equal(deployed.code, 0, deployed.stderr)
      const id = String(readPath(JSON.parse(deployed.stdout), ['id']))
      assert.equal(await fetchPatiently(`http://127.0.0.1:${port}/`), 'hello from the network\n')
      assert.match(await alice.run(['ps']), new RegExp(`${port}→8080`))
      await alice.run(['stop', id])
      await assert.rejects(fetch(`http://127.0.0.1:${port}/`))
      await assertEverythingGivenBack()
    })

    it('two machines talk by name, a task with a service', withDocker, async () => {
      const port = await freePublicPort()
      const serve = 'echo "the answer is 42" > /tmp/index.html; exec httpd -f -p 8080 -h /tmp'
      const get = `n=0; while [ $n -lt 30 ]; do wget -q -O - http://server.internal:${port}/ && exit 0; n=$((n + 1)); sleep 1; done; exit 1`
      const file = await writeEnsemble(
        alice,
        'talk',
        { server: docker(nameOf(image), serve), client: docker(nameOf(image), get, 'task') },
        {
          backend: {
            allocations: ['server'],
            ports: [{ public: port, private: 8080, allocation: 'server' }]
          },
          fetcher: { allocations: ['client'] }
        }
      )
      const id = await alice.run(['deploy', '--detach', file])
      await until('the client is chosen', async () => {
        const rows: unknown = JSON.parse(await alice.run(['ps', '-o', 'json']))
        return Array.isArray(rows) && rows.some(row => row.id === id && row.allocations.length === 2)
      })
      assert.equal(await alice.run(['logs', '--follow', id, 'client']), 'the answer is 42')
      await alice.run(['stop', id])
      await assertEverythingGivenBack()
    })

    it('an image that cannot be had is told, and nothing is left behind', withDocker, async () => {
      nameOf(image)
      const missing = docker('127.0.0.1:1/no/such:image', 'true', 'task')
      const file = await writeEnsemble(alice, 'missing', { missing }, { one: { allocations: ['missing'] } })
      const result = await alice.try(['deploy', file], { timeoutMs: 180_000 })
      assert.equal(result.code, 1, result.stderr)
      assert.match(result.stderr, /image '?127\.0\.0\.1:1\/no\/such:image'?/)
      assert.doesNotMatch(result.stderr, /\n\s+at /)
      await assertEverythingGivenBack()
    })
  })

  // The last one: the providers are not the same afterwards.
  it('providers whose Docker engine is gone say so by name', async () => {
    await Promise.all(
      [bob, carol].map(async node => {
        await node.stop()
        await node.run(['config', 'set', 'executor.docker.socket', join(node.directory, 'gone.sock')])
        await node.start()
      })
    )
    const web = docker('busybox', 'httpd -f')
    const file = await writeEnsemble(alice, 'no-engine', { web }, { one: { allocations: ['web'] } })
    const result = await alice.try(['deploy', file])
    assert.equal(result.code, 1)
    for (const { peerId } of [bob, carol])
      assert.match(
        result.stderr,
        new RegExp(
          `'${peerId}' cannot take it.*\\n.*executor 'docker' is not available: docker does not answer`
        )
      )
  })
})
