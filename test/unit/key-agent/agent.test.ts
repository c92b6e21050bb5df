/** The agent on a real socket, with a clock that is moved by hand. */

import assert from 'node:assert/strict'
import { chmod, lstat, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { MAX_CONNECTIONS, MAX_WAITING_LINES } from '../../../src/key-agent/constants.ts'
import { KeyAgentClient, type KeyAgentOptions } from '../../../src/key-agent/index.ts'
import { publicKeyOfDid } from '../../../src/lib/did/index.ts'
import { utf8ToBytes } from '../../../src/utils/index.ts'
import { FakeGuard, OWN_UID, PASSPHRASE, RawClient, World } from './support.ts'

const TOKEN = utf8ToBytes('dms:token:{"act":"invoke"}')

/** The error a promise rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => assert.fail('it did not fail'),
    (error: unknown) => error
  )
}

describe('the key agent', () => {
  it('signs with a key that was unlocked, and over one connection', async () => {
    await using world = await World.create()
    const did = await world.addKey('user')
    await world.start()
    const client = world.client()
    assert.equal(await client.signer('user'), undefined)
    await world.unlock(client, 'user')
    const signer = await client.signer('user')
    assert.equal(signer?.did, did)
    for (const text of ['dms:token:{"a":1}', 'dms:token:{"a":2}']) {
      const data = utf8ToBytes(text)
      assert.ok(publicKeyOfDid(did).verify(data, (await signer?.sign(data)) ?? new Uint8Array()))
    }
    assert.equal(world.keys.opened, 1)
  })

  it('protects its memory before it listens', async () => {
    await using world = await World.create()
    world.guard.protectMemory = () => {
      throw new Error('not protected')
    }
    await assert.rejects(world.agent().start(), /not protected/)
    assert.equal(await client(world), 'absent')
  })

  it('refuses every text that is no token, and has nothing that gives a key out', async () => {
    await using world = await World.create()
    const did = await world.addKey('user')
    await world.start()
    const client = world.client()
    await world.unlock(client, 'user')
    const signer = await client.signer('user')
    await assert.rejects(async () => await signer?.sign(utf8ToBytes('dms:msg:{}')), {
      code: 'KEY_AGENT_REFUSED'
    })
    const answers = []
    for (const request of [
      '{"op":"status"}',
      '{"op":"find","name":"user"}',
      `{"op":"sign","name":"user","did":"${did}","data":"${Buffer.from(TOKEN).toString('base64')}"}`,
      `{"op":"unlock","name":"user","passphrase":"${PASSPHRASE}"}`,
      '{"op":"lock"}'
    ]) {
      using raw = await RawClient.connect(world.path)
      raw.socket.write(`${request}\n`)
      answers.push(await raw.line())
    }
    const secret = world.keys.keys.get('user')?.toProtobuf() ?? new Uint8Array()
    const said = answers.join('')
    const seed = Buffer.from(secret.subarray(4, 36))
    for (const encoding of ['hex', 'base64', 'latin1'] as const) {
      assert.ok(!said.includes(seed.toString(encoding)), `the key is in an answer, as ${encoding}`)
    }
    assert.ok(!said.includes(PASSPHRASE))
  })

  it('makes a socket and a directory that only its user can reach, whatever the umask', async () => {
    await using world = await World.create()
    const umask = process.umask(0)
    try {
      await world.start()
      assert.equal(process.umask(), 0, 'the umask of the process is another')
    } finally {
      process.umask(umask)
    }
    assert.equal((await lstat(world.path)).mode & 0o777, 0o600)
    assert.equal((await lstat(world.directory.join('run'))).mode & 0o777, 0o700)
  })

  it('does not read a word from a process of another user, or of one nobody can name', async () => {
    for (const peerUid of [() => OWN_UID + 1, () => assert.fail('unknown')]) {
      await using world = await World.create()
      await world.addKey('user')
      await world.start()
      world.guard.peerUid = peerUid
      using raw = await RawClient.connect(world.path)
      raw.socket.write(`{"op":"unlock","name":"user","passphrase":"${PASSPHRASE}"}\n`)
      assert.equal(await raw.untilClosed(), '')
      assert.equal(world.keys.opened, 0)
    }
  })

  it('drops a key that is not used, and all of them when its time is over', async () => {
    await using world = await World.create()
    await world.addKey('user')
    const agent = await world.start({ idleMs: 60_000, lifetimeMs: 100_000 })
    const client = world.client()
    await world.unlock(client, 'user')
    const signer = await client.signer('user')
    await world.clock.advance(59_000)
    await signer?.sign(TOKEN)
    await world.clock.advance(40_000)
    await signer?.sign(TOKEN)
    const ended = agent.ended
    await world.clock.advance(3000)
    assert.equal(await ended, 'lifetime')
    await assert.rejects(async () => await signer?.sign(TOKEN), { code: 'KEY_AGENT_LOCKED' })
  })

  it('locks a key after its own time, however long the agent lives', async () => {
    await using world = await World.create()
    await world.addKey('user')
    await world.start()
    const client = world.client()
    await world.unlock(client, 'user', 10_000)
    await world.clock.advance(9999)
    assert.ok(await client.signer('user'))
    await world.clock.advance(1)
    assert.equal(await client.signer('user'), undefined)
  })

  it('ends when it has held no key for the idle time, not before', async () => {
    await using world = await World.create()
    await world.addKey('user')
    const agent = await world.start({ idleMs: 60_000 })
    let ended = ''
    void agent.ended.then(reason => {
      ended = reason
    })
    const client = world.client()
    await world.clock.advance(50_000)
    await world.unlock(client, 'user')
    await world.clock.advance(100_000)
    assert.equal(ended, '', 'it ended within the idle time of its last key')
    await world.clock.advance(25_000)
    assert.equal(ended, 'idle')
  })

  it('ends when its socket was removed or replaced, and leaves the other one alone', async () => {
    for (const replace of [false, true]) {
      await using world = await World.create()
      await world.addKey('user')
      const agent = await world.start()
      const holder = world.client()
      await world.unlock(holder, 'user')
      const signer = await holder.signer('user')
      await rm(world.path)
      const other = replace ? await world.start() : undefined
      await world.clock.advance(2000)
      assert.equal(await agent.ended, 'socket')
      await assert.rejects(async () => await signer?.sign(TOKEN), { code: 'KEY_AGENT_LOCKED' })
      await agent.stop()
      assert.equal(await client(world), replace ? 'present' : 'absent')
      await other?.stop()
    }
  })

  it('ends with the process it was tied to', async () => {
    await using world = await World.create()
    let content = `7 (x) S 1 7 7 ${'0 '.repeat(15)}1000 0`
    const read = world.files.read
    world.files.read = async path => (path === '/proc/7/stat' ? utf8ToBytes(content) : await read(path))
    const agent = await world.start({ leader: { pid: 7, startTicks: '1000' } })
    let ended = ''
    void agent.ended.then(reason => {
      ended = reason
    })
    await world.clock.advance(10_000)
    assert.equal(ended, '')
    content = content.replace('1000', '1001')
    await world.clock.advance(2000)
    assert.equal(ended, 'session')
  })

  it('stops when it is asked to: no socket, no lock, nothing listening', async () => {
    await using world = await World.create()
    await world.addKey('user')
    const agent = await world.start()
    void agent.ended.then(() => agent.stop())
    const client = world.client()
    await world.unlock(client, 'user')
    await client.stop()
    assert.equal(await agent.ended, 'asked')
    assert.deepEqual(await readdir(world.directory.join('run')), [])
    await agent.stop()
  })

  it('runs once: the second says so, also when both start together', async () => {
    await using world = await World.create()
    const started = await Promise.allSettled([world.start(), world.start(), world.start()])
    const failures = started.filter(result => result.status === 'rejected').map(({ reason }) => reason.code)
    assert.deepEqual(failures, ['KEY_AGENT_RUNNING', 'KEY_AGENT_RUNNING'])
    assert.equal(await client(world), 'present')
  })

  it('takes the place of a socket that a killed one left', async () => {
    await using world = await World.create()
    await mkdir(world.directory.join('run'), { mode: 0o700 })
    const dead = createServer()
    const bound = world.directory.join('run', 'dead')
    await new Promise<void>(resolve => dead.listen(bound, resolve))
    await rename(bound, world.path)
    await new Promise(resolve => dead.close(resolve)) // removes the name it was bound to only
    assert.ok((await lstat(world.path)).isSocket())
    await world.start()
    assert.equal(await client(world), 'present')
  })

  const UNSAFE: readonly (readonly [string, (world: World) => Promise<void>])[] = [
    ['open to others', async world => await chmod(world.directory.join('run'), 0o755)],
    [
      'a link to somewhere else',
      async world => {
        await rm(world.directory.join('run'), { recursive: true })
        await mkdir(world.directory.join('else'), { mode: 0o700 })
        await symlink(world.directory.join('else'), world.directory.join('run'))
      }
    ]
  ]
  for (const [what, make] of UNSAFE) {
    it(`does not start in a directory that is ${what}`, async () => {
      await using world = await World.create()
      await mkdir(world.directory.join('run'), { mode: 0o700 })
      await make(world)
      await assert.rejects(world.start(), { code: 'KEY_AGENT_UNSAFE', hint: /chmod 700/ })
    })
  }

  it('does not start where its directory cannot be made', async () => {
    await using world = await World.create()
    await writeFile(world.directory.join('run'), '')
    await assert.rejects(world.start(), { code: 'KEY_AGENT_SOCKET' })
  })

  it('does not start, and leaves nothing, where something else has the place of its socket', async () => {
    await using world = await World.create()
    await mkdir(world.path, { recursive: true, mode: 0o700 })
    await assert.rejects(world.start(), { code: 'KEY_AGENT_SOCKET', message: /cannot listen on/ })
    assert.deepEqual(await readdir(world.directory.join('run')), ['key-agent.sock'])
  })

  it('says when the path of its socket is longer than the system takes', async () => {
    await using world = await World.create()
    const userDirectory = world.directory.join('x'.repeat(100))
    const error = await failureOf(world.start({ userDirectory }))
    assert.match(String(error), /has \d+ bytes; the system takes at most 107/)
  })

  it('uses the private runtime directory of the user, and another socket for each user directory', async () => {
    await using world = await World.create()
    const runtimeDirectory = world.directory.join('runtime')
    await mkdir(runtimeDirectory, { mode: 0o700 })
    const options = (name: string): Partial<KeyAgentOptions> => ({
      runtimeDirectory,
      userDirectory: world.directory.join(name)
    })
    const [one, two] = [await world.start(options('one')), await world.start(options('two'))]
    assert.match(one.path ?? '', /\/runtime\/nunet\/key-agent-[0-9a-f]{16}\.sock$/)
    assert.notEqual(one.path, two.path)
    assert.equal((await lstat(join(runtimeDirectory, 'nunet'))).mode & 0o777, 0o700)
    await assert.rejects(world.start(options('one')), { code: 'KEY_AGENT_RUNNING' })
    // Whoever logs in without that directory must not start a second one beside a first in the user directory.
    const fallback = await world.start({ userDirectory: world.directory.join('three') })
    assert.ok(fallback.path?.startsWith(world.directory.join('three', 'run')))
    await assert.rejects(world.start(options('three')), { code: 'KEY_AGENT_RUNNING' })
  })

  it('falls back to the user directory when the runtime directory is not private', async () => {
    await using world = await World.create()
    const runtimeDirectory = world.directory.join('runtime')
    await mkdir(runtimeDirectory)
    await chmod(runtimeDirectory, 0o755)
    assert.equal((await world.start({ runtimeDirectory })).path, world.path)
  })
})

describe('unlocking', () => {
  it('tells a wrong passphrase, and makes the one who guesses wait longer and longer', async () => {
    await using world = await World.create()
    await world.addKey('user')
    await world.start({ idleMs: 3_000_000 })
    const client = world.client()
    const guess = (passphrase: string) => client.unlock(world.guard, { name: 'user', passphrase })
    for (let round = 0; round < 3; round++) {
      await assert.rejects(guess('wrong'), {
        name: 'KeyStoreError',
        code: 'KEY_PASSPHRASE_WRONG',
        hint: 'again'
      })
    }
    for (const delayMs of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
      await world.clock.advance(delayMs - 1)
      const { opened } = world.keys
      await assert.rejects(guess(PASSPHRASE), { code: 'KEY_AGENT_WAIT' }, `${delayMs}`)
      assert.equal(world.keys.opened, opened, 'it was tried all the same')
      await world.clock.advance(1)
      await assert.rejects(guess('wrong'), { code: 'KEY_PASSPHRASE_WRONG' })
    }
    await world.clock.advance(60_000)
    await guess(PASSPHRASE)
    await assert.rejects(guess('wrong'), { code: 'KEY_PASSPHRASE_WRONG' })
    await guess(PASSPHRASE)
  })

  it('derives one key at a time, lets few wait and refuses the rest', async () => {
    await using world = await World.create()
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    for (const name of names) await world.addKey(name)
    await world.start()
    const gate = Promise.withResolvers<void>()
    world.keys.gate = gate.promise
    const clients = names.map(() => world.client())
    const unlocking = names.map((name, index) => world.unlock(clients[index] ?? world.client(), name))
    const refused = await Promise.any(unlocking.map(failureOf))
    assert.equal(Reflect.get(Object(refused), 'code'), 'KEY_AGENT_BUSY')
    gate.resolve()
    const results = await Promise.allSettled(unlocking)
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 5)
    assert.equal(world.keys.mostRunning, 1)
  })

  it('is in vain when the key is locked, or the client gone, before the derivation is over', async () => {
    for (const leave of [true, false]) {
      await using world = await World.create()
      await world.addKey('user')
      await world.addKey('other')
      await world.start()
      const gate = Promise.withResolvers<void>()
      const begun = Promise.withResolvers<void>()
      const open = world.keys.open.bind(world.keys)
      world.keys.open = async (name, passphrase) => {
        begun.resolve()
        await gate.promise
        return await open(name, passphrase)
      }
      const [one, two] = [world.client(), world.client()]
      const unlocking = failureOf(world.unlock(one, 'user'))
      await begun.promise
      if (leave) one[Symbol.dispose]()
      else assert.deepEqual(await two.lock(undefined), [])
      // The agent has seen the other end close when a later connection is answered.
      await world.clock.advance(0)
      await two.status()
      gate.resolve()
      const code = Reflect.get(Object(await unlocking), 'code')
      assert.equal(code, leave ? 'KEY_AGENT_FAILED' : 'KEY_AGENT_REFUSED')
      await world.unlock(two, 'other') // is taken after the first one is over
      const { keys } = await two.status()
      assert.deepEqual(
        keys.map(({ name }) => name),
        ['other']
      )
    }
  })

  it('holds no key any more when its file is another, or gone', async () => {
    for (const change of ['replace', 'remove'] as const) {
      await using world = await World.create()
      await world.addKey('user')
      await world.start()
      const client = world.client()
      await world.unlock(client, 'user')
      const signer = await client.signer('user')
      if (change === 'replace') await world.addKey('user')
      else await rm(world.directory.join('key', 'user.json'))
      await assert.rejects(async () => await signer?.sign(TOKEN), { code: 'KEY_AGENT_LOCKED' })
      assert.deepEqual((await client.status()).keys, [])
      assert.equal(await client.signer('user'), undefined)
    }
  })

  it('does not sign with a new key of a name for whoever asked about the old one', async () => {
    await using world = await World.create()
    await world.addKey('user')
    await world.start()
    const client = world.client()
    await world.unlock(client, 'user')
    const old = await client.signer('user')
    await world.addKey('user')
    await world.unlock(client, 'user')
    await assert.rejects(async () => await old?.sign(TOKEN), { code: 'KEY_AGENT_LOCKED' })
  })

  it('refuses a key whose file changes while it is being opened', async () => {
    await using world = await World.create()
    await world.addKey('user')
    await world.start()
    const open = world.keys.open.bind(world.keys)
    world.keys.open = async (name, passphrase) => {
      const key = await open(name, passphrase)
      await world.addKey('user')
      return key
    }
    await assert.rejects(world.unlock(world.client(), 'user'), { code: 'KEY_AGENT_REFUSED' })
  })

  it('cannot reach a file outside of the key directory', async () => {
    await using world = await World.create()
    await world.start()
    await assert.rejects(world.unlock(world.client(), '../secret'), { code: 'KEY_AGENT_FAILED' })
    assert.equal(world.keys.opened, 0)
  })

  it('sends no passphrase to a socket of somebody else', async () => {
    await using world = await World.create()
    await world.addKey('user')
    await world.start()
    const elsewhere = new FakeGuard()
    elsewhere.uid = OWN_UID + 1
    const request = { name: 'user', passphrase: PASSPHRASE }
    await assert.rejects(world.client().unlock(elsewhere, request), { code: 'KEY_AGENT_UNSAFE' })
    assert.equal(world.keys.opened, 0)
  })
})

describe('a connection to the key agent', () => {
  it('is told why and closed after a request that is none, or too long', async () => {
    await using world = await World.create()
    await world.start()
    for (const text of ['GET / HTTP/1.1\r\n\r\n', 'x'.repeat(70_000), '{"op":"export"}\n{"op":"status"}\n']) {
      using raw = await RawClient.connect(world.path)
      raw.socket.write(text)
      const said = await raw.untilClosed()
      assert.match(said, /^\{"error":\{"code":"KEY_AGENT_REFUSED",[^\n]*\}\}\n$/)
    }
  })

  it('may ask several things at once, but not any number', async () => {
    await using world = await World.create()
    await world.start()
    using some = await RawClient.connect(world.path)
    some.socket.end('{"op":"status"}\n'.repeat(3))
    assert.equal((await some.untilClosed()).trim().split('\n').length, 3)
    using many = await RawClient.connect(world.path)
    many.socket.write('{"op":"status"}\n'.repeat(MAX_WAITING_LINES + 1))
    assert.match(await many.untilClosed(), /^\{"error"/)
  })

  it('is closed when a line is not finished in time, however slowly it comes', async () => {
    await using world = await World.create()
    await world.start()
    using raw = await RawClient.connect(world.path)
    const client = world.client()
    for (const part of ['{', '"', 'o', 'p']) {
      raw.socket.write(part)
      await client.status() // has been read when a later one is answered
      await world.clock.advance(2500)
    }
    assert.equal(await raw.untilClosed(), '')
  })

  it('is closed when it is quiet; the client opens another when it needs one', async () => {
    await using world = await World.create()
    await world.start({ idleMs: 1_000_000 })
    using raw = await RawClient.connect(world.path)
    const client = world.client()
    await client.status()
    await world.clock.advance(60_000)
    assert.equal(await raw.untilClosed(), '')
    assert.equal((await client.status()).pid, process.pid)
  })

  it('is not the only one, but there are not any number', async () => {
    await using world = await World.create()
    await world.start()
    const raws: RawClient[] = []
    for (let count = 0; count < MAX_CONNECTIONS; count++) raws.push(await RawClient.connect(world.path))
    await world.clock.advance(0)
    using more = await RawClient.connect(world.path)
    assert.equal(await more.untilClosed(), '')
    for (const raw of raws) raw[Symbol.dispose]()
  })
})

describe('a client of the key agent', () => {
  /** A server that answers every line alike. */
  async function fake(world: World, answer: string | undefined): Promise<AsyncDisposable> {
    await mkdir(world.directory.join('run'), { mode: 0o700 })
    const server = createServer(socket => {
      socket.on('error', () => undefined)
      socket.on('data', () => (answer === undefined ? undefined : socket.write(answer)))
    })
    await new Promise<void>(resolve => server.listen(world.path, resolve))
    return { [Symbol.asyncDispose]: () => new Promise(resolve => server.close(() => resolve())) }
  }

  it('does not take a signature that is wrong', async () => {
    await using world = await World.create()
    const did = await world.addKey('user')
    await using _server = await fake(
      world,
      `{"ok":{"did":"${did}","signature":"${Buffer.alloc(64).toString('base64')}"}}\n`
    )
    using client = world.client()
    const signer = await client.signer('user')
    await assert.rejects(async () => await signer?.sign(TOKEN), {
      code: 'KEY_AGENT_FAILED',
      message: /wrong signature/
    })
  })

  it('does not read an answer without end', async () => {
    await using world = await World.create()
    await using _server = await fake(world, 'x'.repeat(70_000))
    using client = world.client()
    await assert.rejects(client.signer('user'), { code: 'KEY_AGENT_REFUSED' })
  })

  it('does not wait for ever', async () => {
    await using world = await World.create()
    await using _server = await fake(world, undefined)
    using client = world.client(world.clock)
    const failure = failureOf(client.status())
    await world.clock.advance(0)
    await world.clock.advance(3000)
    assert.match(String(await failure), /took longer than 3000 ms/)
  })

  it('asks again when the agent hung up while it asked, once', async () => {
    await using world = await World.create()
    await mkdir(world.directory.join('run'), { mode: 0o700 })
    let asked = 0
    const server = createServer(socket => {
      socket.on('error', () => undefined)
      socket.on('data', () => (++asked === 1 ? socket.write('{"ok":{"names":[]}}\n') : socket.destroy()))
    })
    await new Promise<void>(resolve => server.listen(world.path, resolve))
    using client = world.client()
    await client.lock([])
    await assert.rejects(client.signer('user'), { code: 'KEY_AGENT_FAILED', message: /ended the connection/ })
    assert.equal(asked, 3)
    await new Promise(resolve => server.close(resolve))
  })

  it('stops waiting when the command is interrupted', async () => {
    await using world = await World.create()
    await using _server = await fake(world, undefined)
    using client = world.client()
    const controller = new AbortController()
    const failure = failureOf(client.status({ signal: controller.signal }))
    controller.abort(new Error('interrupted'))
    assert.match(String(await failure), /interrupted/)
  })
})

/** Whether an agent answers. */
async function client(world: World): Promise<'present' | 'absent'> {
  using asking = new KeyAgentClient({ clock: world.clock }, { path: world.path })
  try {
    await asking.status()
    return 'present'
  } catch (error) {
    assert.equal(Reflect.get(Object(error), 'code'), 'KEY_AGENT_ABSENT')
    return 'absent'
  }
}
