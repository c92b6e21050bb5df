/** The key agent as a process: opt-in, without a terminal, gone with its session, and no trouble when it is killed. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { lstat, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { CLI, type CommandResult, Lab, type LabNode, NODE_BINARY } from '../../scripts/lab/lab.ts'
import { assertFailedPlainly, until } from './support.ts'

const NO_PASSPHRASE = { env: { DMS_PASSPHRASE: '' } }
/** Ends the agents with this test, whatever session it runs in. */
const SESSION = ['--session', String(process.pid)]

/** Whether a process runs; one that has ended and that nobody has asked about does not. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return stat !== undefined && !/\) [ZX] /.test(stat)
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false
  )
}

describe('the key agent', () => {
  const lab = new Lab()
  let node: LabNode
  let socket: string

  before(async () => {
    node = await lab.createNode('alone')
    await node.createIdentities()
    socket = join(node.directory, 'user', 'run', 'key-agent.sock')
  })
  after(async () => {
    await node.try(['key', 'agent', '--stop'])
    await lab[Symbol.asyncDispose]()
  })

  const start = async (...flags: string[]): Promise<CommandResult> =>
    await node.try(['key', 'agent', ...SESSION, ...flags])

  /** Process id of the agent that answers; `undefined` when none does. */
  async function agentPid(env: Record<string, string> = {}): Promise<number | undefined> {
    const { stdout } = await node.try(['key', 'agent', '--status', '-o', 'json'], { env })
    const status: unknown = JSON.parse(stdout)
    const pid: unknown = Reflect.get(Object(status), 'pid')
    return typeof pid === 'number' ? pid : undefined
  }

  async function startedPid(): Promise<number> {
    const started = await start()
    assert.equal(started.code, 0, started.stderr)
    return (await agentPid()) ?? assert.fail('no agent answers')
  }

  async function ended(pid: number): Promise<void> {
    await until(`process ${pid} has ended`, async () => !(await isRunning(pid)))
  }

  /** A shell that leads a session of its own, as a login shell does, and reads commands from its standard input. */
  function login(script: string): ChildProcess {
    return spawn('setsid', ['sh', '-c', script, 'sh', NODE_BINARY, CLI], {
      cwd: node.directory,
      env: lab.environment(node.directory),
      stdio: ['pipe', 'pipe', 'pipe']
    })
  }

  it('is off: a command without passphrase fails as before, and leaves nothing behind', async () => {
    const result = await node.try(['key', 'did', 'user'], NO_PASSPHRASE)
    assertFailedPlainly(result, /passphrase not found for key 'user'/)
    assert.equal(await exists(socket), false)
    assertFailedPlainly(await node.try(['key', 'unlock', 'user']), /no key agent runs/)
  })

  it('signs for every command after one unlock, without a key derivation', async () => {
    await node.start()
    try {
      const pid = await startedPid()
      assert.equal((await node.try(['key', 'unlock', 'user'])).code, 0)
      for (const command of [
        ['key', 'did', 'user'],
        ['cap', 'grant', '-c', 'user', '--cap', '/public', '--duration', '1h', node.dmsDid],
        ['actor', 'cmd', '-c', 'user', '/public/hello', '--debug'],
        ['actor', 'cmd', '-c', 'user', '/dms/node/peers/self', '--debug'],
        ['ps', '--debug']
      ]) {
        const { code, stderr } = await node.try(command, NO_PASSPHRASE)
        assert.equal(code, 0, `${command.join(' ')}: ${stderr}`)
        assert.doesNotMatch(stderr, /key derived/)
      }
      // A sealed context needs a signature to be read at all.
      assert.equal((await node.try(['cap', 'seal', '-c', 'user'], NO_PASSPHRASE)).code, 0)
      const listed = await node.try(['cap', 'list', '-c', 'user'], NO_PASSPHRASE)
      assert.deepEqual([listed.code, /^roots:/.test(listed.stdout)], [0, true], listed.stderr)
      assert.equal((await node.try(['cap', 'unseal', '-c', 'user'], NO_PASSPHRASE)).code, 0)
      // Without the agent the same command says that it derives.
      assert.equal((await node.try(['key', 'lock', 'user'])).code, 0)
      assert.match(
        (await node.try(['actor', 'cmd', '-c', 'user', '/public/hello', '--debug'])).stderr,
        /key derived/
      )
      const stopped = await node.try(['key', 'agent', '--stop'])
      assert.equal(stopped.code, 0)
      await ended(pid)
      assert.equal(await exists(socket), false)
    } finally {
      await node.stop()
    }
  })

  it('says how long it lives and how to stop it, and runs once', async () => {
    const started = await start('--idle', '90s', '--lifetime', '2h')
    assert.equal(started.stdout, '')
    assert.match(
      started.stderr,
      /for 2 h 0 m at most; .* 1 m 30 s after its last use\n.*\n.*nunet key unlock.*\n.*--stop/
    )
    const pid = (await agentPid()) ?? assert.fail('no agent answers')
    assertFailedPlainly(await start(), /a key agent runs already/)
    assert.equal(await agentPid(), pid)
    await node.run(['key', 'agent', '--stop'])
    await ended(pid)
  })

  it('has neither the passphrase of its starter nor anything it had open', async () => {
    const pid = await startedPid()
    try {
      // A process whose memory is protected belongs to root in /proc: whoever is not root cannot even look.
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(error => {
        assert.equal(Reflect.get(Object(error), 'code'), 'EACCES')
        return ''
      })
      assert.ok(!environment.includes(lab.passphrase))
      assert.ok(!(await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes(lab.passphrase))
    } finally {
      await node.run(['key', 'agent', '--stop'])
    }
    await ended(pid)
  })

  it('killed with -9, is no trouble: commands ask as before, and the next one takes its place', async () => {
    const pid = await startedPid()
    await node.run(['key', 'unlock', 'user'])
    process.kill(pid, 'SIGKILL')
    await ended(pid)
    assert.ok(await exists(socket), 'the test did not leave a stale socket')
    const asked = await node.try(['key', 'did', 'user'])
    assert.deepEqual([asked.code, asked.stdout, asked.stderr], [0, `${node.userDid}\n`, ''])
    assertFailedPlainly(await node.try(['key', 'did', 'user'], NO_PASSPHRASE), /passphrase not found/)
    const next = await startedPid()
    assertFailedPlainly(await node.try(['key', 'did', 'user'], NO_PASSPHRASE), /passphrase not found/)
    await node.run(['key', 'agent', '--stop'])
    await ended(next)
  })

  it('ends with the login session it was started in, and its socket with it', async () => {
    const shell = login('"$1" "$2" key agent && "$1" "$2" key unlock user && read line')
    let talk = ''
    shell.stderr?.on('data', chunk => {
      talk += String(chunk)
    })
    await until('the key is unlocked', () => {
      assert.equal(shell.exitCode, null, talk)
      return /is unlocked for/.test(talk)
    })
    assert.match(talk, new RegExp(`it ends with this login session \\(process ${shell.pid}\\)`))
    const pid = (await agentPid()) ?? assert.fail('no agent answers')
    assert.equal((await node.try(['key', 'did', 'user'], NO_PASSPHRASE)).stdout, `${node.userDid}\n`)
    shell.stdin?.end()
    await ended(pid)
    assert.equal(await exists(socket), false)
  })

  it('does not keep a login open: its output ends while the agent lives on', async () => {
    const shell = login(`"$1" "$2" key agent --session ${process.pid}`)
    shell.stdin?.end()
    const code = await new Promise(resolve => shell.once('close', resolve)) // exit, and the end of both pipes
    assert.equal(code, 0)
    const pid = (await agentPid()) ?? assert.fail('no agent answers')
    await node.run(['key', 'agent', '--stop'])
    await ended(pid)
  })

  it('does not start where it would end at once, and says what to do', async () => {
    const shell = login('exec "$1" "$2" key agent')
    let talk = ''
    shell.stderr?.on('data', chunk => {
      talk += String(chunk)
    })
    assert.equal(await new Promise(resolve => shell.once('close', resolve)), 1)
    assert.match(talk, /^Error: this command is the whole login session.*\nhint: .*--session <pid>/)
    assert.equal(await agentPid(), undefined)
  })

  it('ends when the runtime directory of the user goes, as it does after the last logout', async () => {
    const directory = join(lab.directory, 'runtime')
    await mkdir(directory, { mode: 0o700 })
    const env = { XDG_RUNTIME_DIR: directory }
    const started = await node.try(['key', 'agent', ...SESSION], { env })
    assert.equal(started.code, 0, started.stderr)
    const pid = (await agentPid(env)) ?? assert.fail('no agent answers')
    const [name = ''] = (await readdir(join(directory, 'nunet'))).filter(file => !file.endsWith('.lock'))
    assert.match(name, /^key-agent-[0-9a-f]{16}\.sock$/)
    await rm(directory, { recursive: true })
    await ended(pid)
  })

  for (const [signal, why] of [
    ['SIGTERM', 'it is told to'],
    ['SIGHUP', 'its terminal closes']
  ] as const) {
    it(`in the foreground ends cleanly when ${why}, and opens no debugger before`, async () => {
      const agent = lab.spawn(node.directory, ['key', 'agent', '--foreground', ...SESSION])
      let talk = ''
      agent.stderr?.on('data', chunk => {
        talk += String(chunk)
      })
      const closed = new Promise<number | null>(resolve => agent.once('close', resolve))
      await until('the agent is ready', () => /key agent ready on/.test(talk))
      agent.kill('SIGUSR1')
      assert.equal((await node.try(['key', 'unlock', 'user'])).code, 0)
      assert.doesNotMatch(talk, /[Dd]ebugger/)
      agent.kill(signal)
      assert.equal(await closed, 0, talk)
      assert.equal(await exists(socket), false)
    })
  }

  it('that cannot make its socket says why, from the background too', async () => {
    const run = join(node.directory, 'user', 'run')
    await rename(run, `${run}.away`)
    try {
      await mkdir(run, { mode: 0o755 })
      assertFailedPlainly(await start(), /the directory '.*run' is open to others \(mode 0755\)/)
    } finally {
      await rm(run, { recursive: true })
      await rename(`${run}.away`, run)
    }
  })
})
