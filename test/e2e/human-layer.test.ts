/** A person who never types an `actor` command: `nunet up` on two machines, `nunet doctor`, `nunet deploy`; and help. */

import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type CommandResult, EXAMPLES, Lab, Organisation, readPath } from '../../scripts/lab/lab.ts'
import { freePort } from '../../scripts/lab/ports.ts'
import { until } from './support.ts'

const lab = new Lab()
after(() => lab[Symbol.asyncDispose]())

/** Somebody's machine with nothing on it but the program; the home directory is its own. */
class Machine {
  readonly home: string
  readonly #name: string
  #daemon: ChildProcess | undefined
  output = ''

  private constructor(name: string) {
    this.#name = name
    this.home = join(lab.directory, name)
  }

  static async create(name: string): Promise<Machine> {
    const machine = new Machine(name)
    await mkdir(machine.home)
    return machine
  }

  async try(...args: string[]): Promise<CommandResult> {
    return await lab.nunet(this.#name, this.home, args)
  }

  async run(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.try(...args)
    assert.equal(code, 0, `nunet ${args.join(' ')}:\n${stderr}`)
    return stdout.trimEnd()
  }

  /** Runs `nunet up` until the node is ready; returns its address. */
  async up(...args: string[]): Promise<string> {
    const daemon = lab.spawn(this.home, ['up', ...args])
    this.#daemon = daemon
    for (const stream of [daemon.stdout, daemon.stderr])
      stream?.on('data', chunk => {
        this.output += String(chunk)
      })
    return await until('the node is ready', () => {
      assert.equal(daemon.exitCode, null, this.output)
      return /listening on (\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/\w+)/.exec(this.output)?.[1]
    })
  }

  /** Offers a core, a fifth of the memory and a little disk. */
  async onboard(): Promise<void> {
    const actor = ['actor', 'cmd', '-c', 'user']
    const spec: unknown = JSON.parse(await this.run(...actor, '/dms/node/hardware/spec'))
    const ram = Math.ceil(Number(readPath(spec, ['Resources', 'ram', 'size'])) / 5)
    const size = ['--cpu', '1', '--ram', `${ram}B`, '--disk', '2GiB', '--no-gpu']
    assert.match(await this.run(...actor, '/dms/node/onboarding/onboard', ...size), /"success": true/)
  }

  /** Ctrl-C; the exit code. */
  async interrupt(): Promise<number | null> {
    const daemon = this.#daemon
    if (daemon === undefined) return null
    const ended = new Promise<number | null>(resolve => daemon.once('exit', resolve))
    daemon.kill('SIGINT')
    return await ended
  }

  /** Contents of everything `nunet up` makes. */
  async files(): Promise<Map<string, string>> {
    const base = join(this.home, '.nunet')
    const entries = await readdir(base, { recursive: true, withFileTypes: true })
    const paths = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
    return new Map(
      await Promise.all(paths.sort().map(async path => [path, await readFile(path, 'utf8')] as const))
    )
  }
}

describe('nunet up', () => {
  let organisation: Organisation
  let ada: Machine
  let ben: Machine

  before(async () => {
    ;[organisation, ada, ben] = await Promise.all([
      Organisation.create(lab),
      Machine.create('ada'),
      Machine.create('ben')
    ])
  })

  async function setUp(machine: Machine): Promise<CommandResult> {
    const ports = [
      '--rest-port',
      String(await freePort()),
      '--listen',
      `/ip4/127.0.0.1/tcp/${await freePort()}`
    ]
    return await machine.try('up', '--no-run', '--bootstrap', 'none', ...ports)
  }

  it('makes identities, trust and a configuration in one step, and asks nothing', async () => {
    for (const machine of [ada, ben]) {
      const { code, stdout, stderr } = await setUp(machine)
      assert.equal(code, 0, stderr)
      assert.equal(stdout, '')
      assert.match(stderr, /made configuration .*\.nunet\/dms_config\.json/)
      assert.match(stderr, /made identity 'user': did:key:z6Mk/)
      assert.match(stderr, /made identity 'dms': did:key:z6Mk/)
      assert.match(stderr, /'dms' obeys did:key:z6Mk/)
      const anchors = await machine.run('cap', 'list', '-c', 'dms')
      assert.ok(anchors.includes(await machine.run('key', 'did', 'user')))
    }
  })

  it('run again, it changes nothing', async () => {
    const before = await ada.files()
    const { code, stderr } = await ada.try('up', '--no-run')
    assert.equal(code, 0, stderr)
    assert.match(stderr, /using configuration/)
    assert.match(stderr, /identity 'user' is there/)
    assert.deepEqual(await ada.files(), before)
  })

  it('forms a network of members of an organisation, in which a task is deployed', async () => {
    const joinNetwork = async (machine: Machine, bootstrap: string): Promise<string> => {
      const token = join(machine.home, 'token')
      await writeFile(token, await organisation.grant(await machine.run('key', 'did', 'user')))
      return await machine.up('--trust', organisation.did, '--provide-token', token, '--bootstrap', bootstrap)
    }
    await joinNetwork(ben, await joinNetwork(ada, 'none'))
    await ben.onboard()
    const { code, stdout, stderr } = await ada.try('deploy', '--logs', join(EXAMPLES, 'hello-task.yaml'))
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^Hello from a NuNet node!/)
  })

  it('the doctor finds nothing wrong then, and sees the other node', async () => {
    const { code, stdout } = await ada.try('doctor', '--output', 'json')
    assert.equal(code, 0, stdout)
    const findings: { name: string; status: string; detail: string }[] = JSON.parse(stdout)
    const statuses = Object.fromEntries(findings.map(({ name, status }) => [name, status]))
    for (const name of ['Node', 'user directory', 'clock', 'disk', 'daemon', 'peers', 'owner'])
      assert.equal(statuses[name], 'ok', `${name}: ${stdout}`)
    for (const name of ['Docker', 'TUN', 'KVM']) assert.ok(name in statuses, `${name} is not checked`)
    assert.match(findings.find(({ name }) => name === 'peers')?.detail ?? '', /^[1-9]/)
  })

  it('Ctrl-C ends the node, which is no failure of it', async () => {
    for (const machine of [ada, ben]) {
      assert.ok([0, 130].includes((await machine.interrupt()) ?? -1), machine.output)
      assert.doesNotMatch(machine.output, /\n\s+at |Error:/)
    }
  })

  it('the doctor says how to mend what is missing', async () => {
    const clean = await Machine.create('clean')
    const { code, stdout, stderr } = await clean.try('doctor')
    assert.equal(code, 1)
    assert.equal(stderr, '')
    assert.match(stdout, /^fail +key 'dms' .*\n.*nunet up/m)
    assert.match(stdout, /^warn +daemon .*\n.*nunet run/m)
    assert.deepEqual(await readdir(clean.home), [], 'the doctor left something behind')
  })
})

describe('help', () => {
  it('of every command is pure standard output, has examples, and needs nothing', async () => {
    const machine = await Machine.create('reader')
    const seen: string[] = []
    const read = async (path: readonly string[]): Promise<void> => {
      const { code, stdout, stderr } = await machine.try(...path, '--help')
      const name = ['nunet', ...path].join(' ')
      seen.push(name)
      assert.equal(code, 0, name)
      assert.equal(stderr, '', name)
      assert.ok(stdout.includes(`Usage:\n  ${name}`), name)
      assert.match(stdout, /\nExamples:\n {2}.*nunet /, name)
      const [, commands = ''] = /\nCommands:\n((?: {2}.*\n)+)/.exec(stdout) ?? []
      for (const line of commands.split('\n').filter(text => text !== '')) {
        const [child = ''] = line.trim().split(/\s+/)
        if (!child.startsWith('/')) await read([...path, child])
      }
    }
    await read([])
    for (const name of ['nunet up', 'nunet deploy', 'nunet cap grant', 'nunet actor cmd', 'nunet config set'])
      assert.ok(seen.includes(name), `${name} is not in the help`)
    assert.deepEqual(await readdir(machine.home), [], 'help left something behind')
  })
})
