/** `up`, `doctor` and telling the daemon: on real files and ports. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { findDaemon, tellDaemon } from '../../../src/cmd/session/daemon-signal.ts'
import { findFreePort } from '../../../src/cmd/up/free-port.ts'
import { Home } from './harness.ts'

async function prepared(): Promise<Home> {
  const home = await Home.create()
  await home.addIdentity('user')
  await home.addIdentity('dms', { context: false })
  return home
}

const UP = ['up', '--no-run', '--bootstrap', 'none']

async function takePort(): Promise<{ port: number } & AsyncDisposable> {
  // Takes connections and says nothing, as a program that is no node may.
  const sockets = new Set<Socket>()
  const server = createServer(socket => sockets.add(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : assert.fail()
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    }
  }
}

describe('nunet up', () => {
  it('makes configuration, context and root anchor, and changes nothing the second time', async () => {
    await using home = await prepared()
    const first = await home.run(UP)
    assert.equal(first.code, 0, first.err)
    assert.equal(first.out, '')
    const config = JSON.parse(await home.read('.nunet/dms_config.json'))
    assert.deepEqual(config.p2p.bootstrap_peers, [])
    assert.equal((await stat(home.join('.nunet/dms_config.json'))).mode & 0o777, 0o600)
    const context = await home.read('.nunet/cap/dms.cap')
    assert.match(context, /"roots":\[\{"uri":"did:key:/)
    const again = await home.run(UP)
    assert.equal(again.code, 0)
    assert.equal(await home.read('.nunet/cap/dms.cap'), context)
    assert.deepEqual(JSON.parse(await home.read('.nunet/dms_config.json')).rest, config.rest)
  })

  it('takes another port when the usual one is in use', async () => {
    await using taken = await takePort()
    assert.notEqual(await findFreePort('127.0.0.1', taken.port), taken.port)
    await using home = await prepared()
    await home.run([...UP, '--rest-port', String(taken.port)])
    assert.notEqual(JSON.parse(await home.read('.nunet/dms_config.json')).rest.port, taken.port)
  })

  it('keeps everything of a node below the directory it is given', async () => {
    await using home = await Home.create()
    await home.addIdentity('user')
    await home.addIdentity('dms')
    const done = await home.run([...UP, '--user-dir', home.join('.nunet')])
    assert.equal(done.code, 0, done.err)
    const { general } = JSON.parse(await home.read('.nunet/dms_config.json'))
    assert.deepEqual(general, {
      user_dir: home.join('.nunet'),
      work_dir: home.join('.nunet/work'),
      data_dir: home.join('.nunet/data')
    })
    assert.match(done.err, /nunet run -c dms --config /)
  })

  it('joins a network: trusts the organisation, passes the token on to the node, once', async () => {
    await using home = await prepared()
    const { did: org } = await home.addIdentity('org')
    const user = (await home.run(['key', 'did', 'user'])).out.trim()
    const token = (
      await home.run([
        'cap',
        'grant',
        '-c',
        'org',
        '--cap',
        '/dms/deployment',
        '--topic',
        '/nunet',
        '--duration',
        '1h',
        user
      ])
    ).out
    const file = await home.write('token.json', token)
    const join = [...UP, '--trust', org, '--provide-token', file]
    const done = await home.run(join)
    assert.equal(done.code, 0, done.err)
    const context = JSON.parse(await home.read('.nunet/cap/dms.cap'))
    assert.deepEqual([context.require.tok.length, context.provide.tok.length], [1, 1])
    assert.equal(context.provide.tok[0].dms.chain.dms.iss.uri, org)
    await home.run(join)
    const again = JSON.parse(await home.read('.nunet/cap/dms.cap'))
    assert.deepEqual([again.require.tok.length, again.provide.tok.length], [1, 1])
  })

  it('refuses a token for somebody else, and a file that holds none', async () => {
    await using home = await prepared()
    const { did } = await home.addIdentity('other')
    await home.addIdentity('org')
    const token = (await home.run(['cap', 'grant', '-c', 'org', '--cap', '/public', '--duration', '1h', did]))
      .out
    const foreign = await home.run([...UP, '--provide-token', await home.write('t.json', token)])
    assert.deepEqual(
      [foreign.code, /^Error: the token is for did:key:/m.test(foreign.err)],
      [1, true],
      foreign.err
    )
    assert.match(
      (await home.run([...UP, '--provide-token', await home.write('x.json', 'x')])).err,
      /Error: not a token or token list/
    )
    assert.match(
      (await home.run([...UP, '--provide-token', 'missing.json'])).err,
      /Error: cannot read tokens from/
    )
  })
})

describe('nunet doctor', () => {
  it('fails on an empty machine and says how to mend it', async () => {
    await using home = await Home.create()
    const { code, out, err } = await home.run(['doctor'])
    assert.equal(code, 1)
    assert.equal(err, '')
    assert.match(out, /fail {2}user directory .*\n.*→ make it with 'nunet up'/)
  })

  it('finds nothing that fails after up, and prints the same as JSON', async () => {
    await using home = await prepared()
    await home.run(UP)
    const { code, out } = await home.run(['doctor', '-o', 'json'])
    const findings: { name: string; status: string; fix: string }[] = JSON.parse(out)
    assert.deepEqual(
      findings.filter(({ status }) => status === 'fail'),
      []
    )
    assert.equal(code, 0)
    assert.deepEqual(
      findings.find(({ name }) => name === 'owner'),
      { name: 'owner', status: 'ok', detail: "'dms' obeys 'user'", fix: '' }
    )
    assert.ok(
      findings.every(({ status, fix }) => status !== 'warn' || fix !== ''),
      'every warning says what to do'
    )
  })

  it('sees a port somebody else holds, a token that ends soon, a key others may read and a broken file', async () => {
    await using home = await prepared()
    await home.run(UP)
    await using taken = await takePort()
    const { did } = await home.addIdentity('org')
    const token = (await home.run(['cap', 'grant', '--cap', '/public', '--duration', '1h', did])).out.trim()
    await home.run(['cap', 'anchor', '-c', 'dms', '--require', token])
    const { chmod } = await import('node:fs/promises')
    await chmod(home.join('.nunet/key/user.json'), 0o644)
    const { code, out } = await home.run(['doctor', '--rest-port', String(taken.port)])
    assert.equal(code, 1)
    assert.match(
      out,
      new RegExp(`fail {2}REST port +${taken.port} of 127\\.0\\.0\\.1 is used by another program`)
    )
    assert.match(out, /warn {2}context 'dms' expiry/)
    assert.match(out, /warn {2}key 'user' +others may read the file/)
    await home.write('.nunet/cap/dms.cap', '{')
    assert.match((await home.run(['doctor'])).out, /fail {2}context 'dms' +the capability file is damaged/)
  })

  it('reports a broken configuration as a finding', async () => {
    await using home = await Home.create()
    await home.write('dms_config.json', '{"rest":{"prt":1}}')
    const { code, out } = await home.run(['doctor'])
    assert.equal(code, 1)
    assert.match(out, /fail {2}configuration +unknown key/)
  })
})

describe('telling the daemon', () => {
  it('signals no process that is not a node, and none from a stale or broken file', async () => {
    await using home = await Home.create()
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore']
    })
    try {
      for (const content of [`${child.pid}\n`, '999999999\n', 'x', '', '-1', '1']) {
        await home.write('.nunet/run/dms.pid', content)
        assert.equal(await findDaemon(home.files, home.join('.nunet/run'), 'dms'), undefined, content)
        assert.deepEqual(await tellDaemon(home.files, home.join('.nunet/run'), 'dms'), { told: false })
      }
      assert.equal(await findDaemon(home.files, home.join('nowhere'), 'dms'), undefined)
      assert.equal(child.signalCode, null)
    } finally {
      child.kill()
    }
  })

  it('signals a node', async () => {
    await using home = await Home.create()
    const script = await home.write(
      'nunet.mjs',
      "process.on('SIGUSR1', () => { console.log('reload'); process.exitCode = 7; process.stdin.destroy() }); process.stdin.resume(); console.log('up')"
    )
    const child = spawn(process.execPath, [script, 'run'], { stdio: ['pipe', 'pipe', 'ignore'] })
    await once(child.stdout, 'data')
    await home.write('.nunet/run/dms.pid', `${child.pid}\n`)
    assert.deepEqual(await tellDaemon(home.files, home.join('.nunet/run'), 'dms'), { told: true })
    const [code] = await once(child, 'exit')
    assert.equal(code, 7)
  })
})
