/**
 * A laboratory of real daemons on this machine: each node has its own directories, ports and process and is driven
 * with the same commands a person types. Used by the demo, the end-to-end tests and the benchmarks. Whatever it
 * made it removes: processes, containers, files.
 */

import { type ChildProcess, type ExecFileException, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './ports.ts'
import { endWorkloads } from './workloads.ts'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** The Node and the bundle that the set-up made. `NUNET_LAB_CLI` names another bundle, for example an installed one. */
export const NODE_BINARY: string = join(ROOT, 'node_modules', '.bin', 'node')
export const CLI: string = process.env['NUNET_LAB_CLI'] ?? join(ROOT, 'dist', 'nunet.js')
export const EXAMPLES: string = join(ROOT, 'examples')

/** What a command left behind. */
export interface CommandResult {
  /** Exit code; 124 for a command that ran past its time limit and was killed. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}

export interface LabOptions {
  /** Told of each command before it runs, as a person would type it. */
  onCommand?: (node: string, command: string) => void
}

/** Far enough for a demo, near enough to show that grants end. */
const GRANT_DURATION = '24h'
/** What a member of a network holds, as flags of `cap grant` and `cap delegate`. */
export const NETWORK_CAPABILITIES: readonly string[] = [
  '--cap',
  '/dms/deployment',
  '--cap',
  '/public',
  '--cap',
  '/broadcast',
  '--topic',
  '/nunet'
]

export class Lab implements AsyncDisposable {
  readonly directory: string
  readonly nodes: LabNode[] = []
  readonly #options: LabOptions
  readonly #children = new Set<ChildProcess>()
  readonly passphrase: string = randomBytes(12).toString('hex')
  #disposed = false
  readonly #deferred: (() => Promise<void>)[] = []

  constructor(options: LabOptions = {}) {
    this.#options = options
    this.directory = mkdtempSync(join(tmpdir(), 'nunet-lab-'))
  }

  /** A node with its directory, ports and configuration; nothing runs yet. */
  async createNode(name: string, settings: { bootstrap?: readonly string[] } = {}): Promise<LabNode> {
    if (this.#disposed) throw new Error('the lab is closed')
    const directory = join(this.directory, name)
    await mkdir(directory, { recursive: true })
    const [restPort, p2pPort] = [await freePort(), await freePort()]
    const node = new LabNode(this, name, directory, restPort, p2pPort)
    await node.writeConfig(settings.bootstrap ?? [])
    this.nodes.push(node)
    return node
  }

  /** Runs the CLI in a directory. Never rejects for an exit code. */
  async nunet(
    name: string,
    cwd: string,
    args: readonly string[],
    options: { timeoutMs?: number; env?: Record<string, string> } = {}
  ): Promise<CommandResult> {
    if (this.#disposed) throw new Error('the lab is closed')
    this.#options.onCommand?.(name, shellForm(args))
    const started = performance.now()
    return await new Promise(resolve => {
      const child = execFile(
        NODE_BINARY,
        [CLI, ...args],
        {
          cwd,
          env: { ...this.environment(cwd), ...options.env },
          timeout: options.timeoutMs ?? 120_000,
          maxBuffer: 64 * 2 ** 20
        },
        (error, stdout, stderr) => {
          this.#children.delete(child)
          resolve({ code: exitCodeOf(error), stdout, stderr, ms: performance.now() - started })
        }
      )
      this.#children.add(child)
    })
  }

  /** Starts a long-running CLI command, such as a daemon. */
  spawn(cwd: string, args: readonly string[], options: { env?: Record<string, string> } = {}): ChildProcess {
    const child = spawn(NODE_BINARY, [CLI, ...args], {
      cwd,
      env: { ...this.environment(cwd), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }

  /** A clean environment: the home directory is the node's own, so nothing of the user's is read or written. */
  environment(home: string): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      DMS_PASSPHRASE: this.passphrase,
      NO_COLOR: '1',
      LANG: 'C.UTF-8'
    }
  }

  /** Something to take back when the lab closes, once nothing runs any more; a closed lab does it at once. */
  async defer(work: () => Promise<void>): Promise<void> {
    if (this.#disposed) await work()
    else this.#deferred.push(work)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    await Promise.all(this.nodes.map(node => node.stop().catch(() => undefined)))
    await Promise.all([...this.#children].map(killAndWait))
    // Workloads outlive their daemons on purpose, so what still runs is ended here.
    await endWorkloads(
      this.directory,
      this.nodes.map(node => node.peerId)
    )
    await Promise.all(this.#deferred.map(work => work()))
    removeTree(this.directory)
  }
}

async function killAndWait(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.kill('SIGKILL')
  await ended
}

function exitCodeOf(error: ExecFileException | null): number {
  if (error === null) return 0
  if (error.killed === true) return 124
  return typeof error.code === 'number' ? error.code : 1
}

/** One machine of the lab. */
export class LabNode {
  readonly name: string
  readonly directory: string
  readonly restPort: number
  readonly p2pPort: number
  readonly #lab: Lab
  #daemon: ChildProcess | undefined
  #output = ''
  /** Multiaddresses of the running daemon, ending in its peer id. */
  addresses: string[] = []
  peerId = ''
  userDid = ''
  dmsDid = ''

  constructor(lab: Lab, name: string, directory: string, restPort: number, p2pPort: number) {
    this.#lab = lab
    this.name = name
    this.directory = directory
    this.restPort = restPort
    this.p2pPort = p2pPort
  }

  get daemon(): ChildProcess | undefined {
    return this.#daemon
  }

  /** Everything the daemon printed. */
  get output(): string {
    return this.#output
  }

  async writeConfig(bootstrap: readonly string[]): Promise<void> {
    const config = {
      general: {
        user_dir: join(this.directory, 'user'),
        work_dir: join(this.directory, 'work'),
        data_dir: join(this.directory, 'data')
      },
      rest: { addr: '127.0.0.1', port: this.restPort },
      p2p: { listen_address: [`/ip4/127.0.0.1/tcp/${this.p2pPort}`], bootstrap_peers: bootstrap },
      profiler: { enabled: false },
      observability: { logging: { level: 'DEBUG', file: join(this.directory, 'dms.log') } }
    }
    await writeFile(join(this.directory, 'dms_config.json'), `${JSON.stringify(config, null, 2)}\n`)
  }

  /** Runs a command of this node; the result as it is. */
  async try(
    args: readonly string[],
    options: { timeoutMs?: number; env?: Record<string, string> } = {}
  ): Promise<CommandResult> {
    return await this.#lab.nunet(this.name, this.directory, args, options)
  }

  /** Runs a command that must succeed; its standard output without the last newline. */
  async run(args: readonly string[], options: { timeoutMs?: number } = {}): Promise<string> {
    const result = await this.try(args, options)
    if (result.code !== 0)
      throw new Error(
        `nunet ${shellForm(args)} (on ${this.name}) ended with exit code ${result.code}:\n${result.stderr}${result.stdout}`
      )
    return result.stdout.trimEnd()
  }

  /** The reply of a behaviour of this node, asked by its user. */
  async cmd(behavior: string, ...flags: string[]): Promise<Record<string, unknown>> {
    const text = await this.run(['actor', 'cmd', behavior, '--context', 'user', ...flags])
    const reply: unknown = JSON.parse(text.slice(text.indexOf('{')))
    if (typeof reply !== 'object' || reply === null) throw new Error(`'${behavior}' did not answer an object`)
    return Object.fromEntries(Object.entries(reply))
  }

  /** Identities and root trust: the quick start. */
  async createIdentities(): Promise<void> {
    await Promise.all([this.run(['cap', 'new', 'user']), this.run(['cap', 'new', 'dms'])])
    ;[this.userDid, this.dmsDid] = await Promise.all([
      this.run(['key', 'did', 'user']),
      this.run(['key', 'did', 'dms'])
    ])
    await this.run(['cap', 'anchor', '-c', 'dms', '--root', this.userDid])
  }

  /** Joins the network of an organisation: its grant to the user, the user's trust in it, the delegation to the node. */
  async join(organisation: Organisation): Promise<void> {
    const token = await organisation.grant(this.userDid)
    await this.run(['cap', 'anchor', '-c', 'user', '--provide', token])
    const accept = await this.run([
      'cap',
      'grant',
      '-c',
      'user',
      ...NETWORK_CAPABILITIES,
      '--duration',
      GRANT_DURATION,
      organisation.did
    ])
    await this.run(['cap', 'anchor', '-c', 'dms', '--require', accept])
    const delegation = await this.run([
      'cap',
      'delegate',
      '-c',
      'user',
      ...NETWORK_CAPABILITIES,
      '--duration',
      '23h',
      this.dmsDid
    ])
    await this.run(['cap', 'anchor', '-c', 'dms', '--provide', delegation])
  }

  /** Starts the daemon and waits until it says that it is ready; returns how long that took, in milliseconds. */
  async start(): Promise<number> {
    const started = performance.now()
    const daemon = this.#lab.spawn(this.directory, ['run', '-c', 'dms'])
    this.#daemon = daemon
    this.#output = ''
    const ready = Promise.withResolvers<void>()
    const take = (chunk: Buffer): void => {
      this.#output += chunk.toString()
      if (/ready/.test(this.#output)) ready.resolve()
    }
    daemon.stdout?.on('data', take)
    daemon.stderr?.on('data', take)
    daemon.once('exit', code =>
      ready.reject(new Error(`the daemon of ${this.name} ended with exit code ${code}:\n${this.#output}`))
    )
    await ready.promise
    const took = performance.now() - started
    const self = await this.cmd('/dms/node/peers/self')
    this.peerId = String(self['id'])
    this.addresses = String(self['listen_addr'])
      .split(', ')
      .map(address => `${address}/p2p/${this.peerId}`)
    return took
  }

  /** Ends the daemon politely. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Ends the daemon as a power cut would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Resident memory of the daemon in bytes (Linux). */
  async residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.#daemon?.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
  }

  /** Offers a share of this machine: one core, a fifth of the memory, a little disk. */
  async onboard(): Promise<void> {
    const spec = await this.cmd('/dms/node/hardware/spec')
    const ramBytes = Number(readPath(spec, ['Resources', 'ram', 'size']))
    const ramGib = Math.ceil((ramBytes / 2 ** 30) * 0.2 * 10) / 10
    const reply = await this.cmd(
      '/dms/node/onboarding/onboard',
      '--cpu',
      '1',
      '--ram',
      String(ramGib),
      '--disk',
      '2',
      '--no-gpu'
    )
    if (reply['success'] !== true)
      throw new Error(`${this.name} could not be onboarded: ${String(reply['error'])}`)
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const daemon = this.#daemon
    this.#daemon = undefined
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return
    const ended = new Promise<void>(resolve => daemon.once('exit', () => resolve()))
    daemon.kill(signal)
    const guard = setTimeout(() => daemon.kill('SIGKILL'), 15_000)
    await ended
    clearTimeout(guard)
  }
}

/** The root of trust of a restricted network: a key and the grants it gives. */
export class Organisation {
  readonly #lab: Lab
  readonly #directory: string
  did = ''

  private constructor(lab: Lab, directory: string) {
    this.#lab = lab
    this.#directory = directory
  }

  static async create(lab: Lab): Promise<Organisation> {
    const directory = join(lab.directory, 'organisation')
    await mkdir(directory, { recursive: true })
    const organisation = new Organisation(lab, directory)
    await organisation.#run(['cap', 'new', 'myorg'])
    organisation.did = await organisation.#run(['key', 'did', 'myorg'])
    return organisation
  }

  /** What each member may do: call public behaviours, ask for bids and bid. */
  async grant(did: string, capabilities: readonly string[] = NETWORK_CAPABILITIES): Promise<string> {
    return await this.#run([
      'cap',
      'grant',
      '-c',
      'myorg',
      ...capabilities,
      '--duration',
      GRANT_DURATION,
      did
    ])
  }

  async #run(args: readonly string[]): Promise<string> {
    const result = await this.#lab.nunet('organisation', this.#directory, args)
    if (result.code !== 0) throw new Error(`nunet ${shellForm(args)} failed:\n${result.stderr}`)
    return result.stdout.trimEnd()
  }
}

/** A network of one orchestrating node and some providers, ready for deployments. */
export async function createNetwork(lab: Lab, names: readonly string[]): Promise<LabNode[]> {
  const [organisation, ...nodes] = await Promise.all([
    Organisation.create(lab),
    ...names.map(name => lab.createNode(name))
  ])
  await Promise.all(nodes.map(node => node.createIdentities()))
  await Promise.all(nodes.map(node => node.join(organisation)))
  const [first, ...others] = nodes
  if (first === undefined) return []
  await first.start()
  for (const node of others) await node.writeConfig(first.addresses)
  await Promise.all(others.map(node => node.start()))
  await Promise.all(others.map(node => node.onboard()))
  return nodes
}

/** A member of nested objects, or `undefined`. */
export function readPath(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (found, name) =>
      typeof found === 'object' && found !== null
        ? Object.entries(found).find(([key]) => key === name)?.[1]
        : undefined,
    value
  )
}

/** A command as a person would type it; tokens are cut, they fill a screen. */
export function shellForm(args: readonly string[]): string {
  return args
    .map(argument =>
      argument.length > 60
        ? `'${argument.slice(0, 24)}…'`
        : /^[\w./:=,@-]+$/.test(argument)
          ? argument
          : `'${argument}'`
    )
    .join(' ')
}

/** Log directories of containers may belong to others; what cannot be removed at once is tried again. */
function removeTree(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}
