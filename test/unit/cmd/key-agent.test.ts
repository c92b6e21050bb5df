/** `key agent`, `key unlock`, `key lock`, and commands that sign through an agent, which runs in this process. */

import assert from 'node:assert/strict'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { KeyAgent, openSystemGuard } from '../../../src/key-agent/index.ts'
import { createKeyStore } from '../../../src/lib/crypto/index.ts'
import { systemClock, systemRandom } from '../../../src/utils/index.ts'
import { Home, MemoryTerminal, PASSPHRASE } from './harness.ts'

const NO_PASSPHRASE = { environment: { DMS_PASSPHRASE: '' } }

/** An agent for the user directory of a home. It does not protect the memory of the tests. */
async function startAgent(home: Home): Promise<KeyAgent> {
  const guard = { ...(await openSystemGuard()), protectMemory: () => undefined }
  const keyDirectory = home.join('.nunet', 'key')
  const { files } = home
  const agent = new KeyAgent(
    {
      clock: systemClock,
      random: systemRandom,
      files,
      guard,
      keys: createKeyStore({ files, random: systemRandom }, { directory: keyDirectory })
    },
    {
      userDirectory: home.join('.nunet'),
      runtimeDirectory: undefined,
      keyDirectory,
      idleMs: 600_000,
      lifetimeMs: 3_600_000
    }
  )
  await agent.start()
  void agent.ended.then(() => agent.stop())
  return agent
}

describe('nunet key unlock and lock', () => {
  it('lets commands sign without a passphrase, until the key is locked', async () => {
    await using home = await Home.create()
    const { did } = await home.addIdentity('user')
    await using _agent = await startAgent(home)
    assert.equal((await home.run(['key', 'did', 'user'], NO_PASSPHRASE)).code, 1)

    const unlocked = await home.run(['key', 'unlock', 'user'])
    assert.deepEqual([unlocked.code, unlocked.out], [0, ''])
    assert.match(unlocked.err, /^key 'user' is unlocked for .* at most.*nunet key lock user/)
    assert.equal((await home.run(['key', 'did', 'user'], NO_PASSPHRASE)).out, `${did}\n`)
    const grant = ['cap', 'grant', '--cap', '/public', '--duration', '1h', did]
    const granted = await home.run(grant, NO_PASSPHRASE)
    assert.equal(granted.code, 0, granted.err)
    // Anchoring verifies the signature the agent made.
    const anchored = await home.run(['cap', 'anchor', '--require', granted.out.trim()], NO_PASSPHRASE)
    assert.equal(anchored.code, 0, anchored.err)

    assert.equal(
      (await home.run(['key', 'lock', 'user', 'other'])).err,
      'user: locked\nother: was not unlocked\n'
    )
    const { code, err } = await home.run(grant, NO_PASSPHRASE)
    assert.deepEqual([code, /passphrase not found/.test(err)], [1, true])
  })

  it('asks for the passphrase once, and not before there is an agent and a key', async () => {
    await using home = await Home.create()
    await home.addIdentity('user')
    const ask = async (name: string) => {
      const terminal = new MemoryTerminal()
      terminal.canAsk = true
      terminal.answers = [PASSPHRASE]
      return await home.run(['key', 'unlock', name], { ...NO_PASSPHRASE, terminal })
    }
    const without = await ask('user')
    assert.match(without.err, /^Error: no key agent runs\nhint: start one with 'nunet key agent'\n$/)
    assert.deepEqual(without.terminal.questions, [])
    await using _agent = await startAgent(home)
    assert.match((await ask('nobody')).err, /^Error: there is no key 'nobody'/)
    assert.deepEqual((await ask('user')).terminal.questions, ["Passphrase for key 'user': "])
    const again = await home.run(['key', 'did', 'user'], NO_PASSPHRASE)
    assert.equal(again.code, 0)
  })

  it('tells a wrong passphrase as the other commands do', async () => {
    await using home = await Home.create()
    await home.addIdentity('user')
    await using _agent = await startAgent(home)
    const { code, err } = await home.run(['key', 'unlock', 'user'], {
      environment: { DMS_PASSPHRASE: 'wrong' }
    })
    assert.equal(code, 1)
    assert.match(err, /^Error: the passphrase does not open the key\nhint: .*\n$/)
  })

  it('says which keys are unlocked and until when, for people and for programs', async () => {
    await using home = await Home.create()
    const { did } = await home.addIdentity('user')
    for (const [output, expected] of [
      ['table', 'no key agent runs\n'],
      ['json', '{"running":false}\n']
    ] as const) {
      const status = await home.run(['key', 'agent', '--status', '-o', output])
      assert.deepEqual([status.code, status.out, status.err], [1, expected, ''])
    }
    await using _agent = await startAgent(home)
    assert.match((await home.run(['key', 'agent', '--status'])).out, /process \d+, .*\nno key is unlocked\n$/)
    await home.run(['key', 'unlock', '--lifetime', '5m', 'user'])
    const text = await home.run(['key', 'agent', '--status'])
    assert.equal(text.code, 0)
    assert.match(text.out, new RegExp(`\nuser +(4 m 59 s|5 m 0 s) +(4 m 59 s|5 m 0 s) +${did}\n$`))
    const json = JSON.parse((await home.run(['key', 'agent', '--status', '-o', 'json'])).out)
    assert.equal(json.running, true)
    assert.equal(json.idle_ms, 600_000)
    assert.equal(json.keys[0].did, did)
    const lifeMs = Date.parse(json.keys[0].ends_at) - Date.parse(json.keys[0].unlocked_at)
    assert.ok(Math.abs(lifeMs - 300_000) < 5, `it lives ${lifeMs} ms`)
  })

  it('locks everything at once, and says so when there is nothing', async () => {
    await using home = await Home.create()
    await home.addIdentity('user')
    assert.match((await home.run(['key', 'lock', '--all'])).err, /^no key agent runs/)
    const agent = await startAgent(home)
    await home.run(['key', 'unlock', 'user'])
    assert.equal((await home.run(['key', 'lock', '--all'])).err, 'locked user\n')
    assert.equal((await home.run(['key', 'lock', '--all'])).err, 'locked nothing: no key was unlocked\n')
    assert.equal((await home.run(['key', 'agent', '--stop'])).code, 0)
    await agent.stop()
    const stopped = await home.run(['key', 'agent', '--stop'])
    assert.deepEqual([stopped.code, /^Error: no key agent runs/.test(stopped.err)], [1, true])
  })

  for (const [argv, message] of [
    [['key', 'lock'], /name the keys to lock, or use --all/],
    [['key', 'lock', '--all', 'user'], /name the keys to lock, or use --all/],
    [['key', 'agent', '--status', '--stop'], /none of the others can be/],
    [['key', 'agent', '--idle', '10ms'], /--idle: it must be between 1s and 30d/],
    [['key', 'agent', '--lifetime', '-1h'], /--lifetime: it must be between 1s and 30d/],
    [['key', 'agent', '--status', '-o', 'xml'], /unknown output format 'xml'/],
    [['key', 'unlock', '--lifetime', '-1s', 'user'], /--lifetime: it must be longer/],
    [['key', 'agent', '--session', '4194305'], /there is no process 4194305/],
    [['key', 'agent', 'status'], /accepts 0 arg/]
  ] as const) {
    it(`does not take 'nunet ${argv.join(' ')}'`, async () => {
      await using home = await Home.create()
      await home.addIdentity('user')
      const { code, err } = await home.run(argv)
      assert.equal(code, 1)
      assert.match(err, message)
    })
  }
})

describe('a command beside a key agent that cannot be used', () => {
  it('says nothing of a socket that a killed agent left, and asks as before', async () => {
    await using home = await Home.create()
    const { did } = await home.addIdentity('user')
    await mkdir(home.join('.nunet', 'run'), { mode: 0o700, recursive: true })
    const dead = createServer()
    const bound = home.join('.nunet', 'run', 'dead')
    await new Promise<void>(resolve => dead.listen(bound, resolve))
    await chmod(bound, 0o600)
    const { rename } = await import('node:fs/promises')
    await rename(bound, home.join('.nunet', 'run', 'key-agent.sock'))
    await new Promise(resolve => dead.close(resolve))
    const shown = await home.run(['key', 'did', 'user'])
    assert.deepEqual([shown.out, shown.err], [`${did}\n`, ''])
    assert.equal((await home.run(['key', 'agent', '--status'])).out, 'no key agent runs\n')
  })

  it('goes on without it and says why, once, and never speaks to it', async () => {
    await using home = await Home.create()
    const { did } = await home.addIdentity('user')
    await mkdir(home.join('.nunet', 'run'), { recursive: true })
    await chmod(home.join('.nunet', 'run'), 0o777)
    let connections = 0
    const server = createServer(socket => {
      connections++
      socket.destroy()
    })
    const path = home.join('.nunet', 'run', 'key-agent.sock')
    await new Promise<void>(resolve => server.listen(path, resolve))
    try {
      const shown = await home.run(['key', 'did', 'user'])
      assert.equal(shown.out, `${did}\n`)
      assert.match(
        shown.err,
        /^warning: going on without the key agent: the directory '.*' is open to others \(mode 0777\)\n$/
      )
      const unlock = await home.run(['key', 'unlock', 'user'])
      assert.match(unlock.err, /^Error: the directory '.*' is open to others.*\nhint: nothing was sent/)
      await chmod(home.join('.nunet', 'run'), 0o700)
      await chmod(path, 0o666)
      assert.match((await home.run(['key', 'did', 'user'])).err, /the socket '.*' is open to others/)
      assert.equal(connections, 0)
    } finally {
      await new Promise(resolve => server.close(resolve))
    }
    await writeFile(path, 'no socket')
    assert.match((await home.run(['key', 'did', 'user'])).err, /is not a socket/)
  })

  it('goes on without one that answers nonsense', async () => {
    await using home = await Home.create()
    const { did } = await home.addIdentity('user')
    await mkdir(home.join('.nunet', 'run'), { mode: 0o700, recursive: true })
    const server = createServer(socket => socket.on('data', () => socket.end('\u001b[2Jhello\n')))
    const path = home.join('.nunet', 'run', 'key-agent.sock')
    await new Promise<void>(resolve => server.listen(path, resolve))
    await chmod(path, 0o600)
    try {
      const shown = await home.run(['key', 'did', 'user'])
      assert.equal(shown.out, `${did}\n`)
      assert.match(
        shown.err,
        /^warning: going on without the key agent: .*answered 'find' with something else\n$/
      )
    } finally {
      await new Promise(resolve => server.close(resolve))
    }
  })
})
