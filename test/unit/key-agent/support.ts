/** What the tests of the key agent share: keys that cost nothing to open, a guard that answers as told, an agent on a real socket. */

import { connect, type Socket } from 'node:net'
import {
  KeyAgent,
  KeyAgentClient,
  type KeyAgentOptions,
  type SystemGuard
} from '../../../src/key-agent/index.ts'
import { generateKey, KeyStoreError, type PrivateKey } from '../../../src/lib/crypto/index.ts'
import { didOf } from '../../../src/lib/did/index.ts'
import type { Clock, Did } from '../../../src/types/index.ts'
import { createSystemFiles, systemClock, systemRandom, VirtualClock } from '../../../src/utils/index.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../utils/index.ts'

export const PASSPHRASE = 'open sesame'

/** This process's own user. */
export const OWN_UID = process.getuid?.() ?? -1

/** A guard that says a user id, and notes what it was asked to do. */
export class FakeGuard implements SystemGuard {
  uid: number = OWN_UID
  protectedTimes = 0

  peerUid(): number {
    return this.uid
  }

  protectMemory(): void {
    this.protectedTimes++
  }

  isolateDescriptors(): void {}
}

/** Keys that open at once with `PASSPHRASE`, or when the test says so. */
export class FakeKeys {
  readonly keys = new Map<string, PrivateKey>()
  /** Derivations begun. */
  opened = 0
  running = 0
  mostRunning = 0
  gate: Promise<void> = Promise.resolve()

  async open(name: string, passphrase: string): Promise<PrivateKey> {
    this.opened++
    this.running++
    this.mostRunning = Math.max(this.mostRunning, this.running)
    await this.gate
    this.running--
    const key = this.keys.get(name)
    if (key === undefined) throw new KeyStoreError('KEY_NOT_FOUND', `there is no key '${name}'`)
    if (passphrase === PASSPHRASE) return key
    throw new KeyStoreError('KEY_PASSPHRASE_WRONG', 'the passphrase does not open the key', { hint: 'again' })
  }
}

/** The virtual clock, and a machine that sleeps: only the wall clock goes on then. */
export class SleepyClock extends VirtualClock {
  asleepMs = 0

  override nowMs(): number {
    return super.nowMs() + this.asleepMs
  }
}

/** An agent with its directories, clock and keys. */
export class World implements AsyncDisposable {
  readonly directory: TemporaryDirectory
  readonly clock = new SleepyClock()
  readonly guard = new FakeGuard()
  readonly keys = new FakeKeys()
  readonly files = createSystemFiles({ clock: systemClock, random: systemRandom })
  readonly #opened: (AsyncDisposable | Disposable)[] = []

  private constructor(directory: TemporaryDirectory) {
    this.directory = directory
  }

  static async create(): Promise<World> {
    return new World(await temporaryDirectory())
  }

  get place(): { userDirectory: string; runtimeDirectory: undefined } {
    return { userDirectory: this.directory.path, runtimeDirectory: undefined }
  }

  get path(): string {
    return this.directory.join('run', 'key-agent.sock')
  }

  agent(options: Partial<KeyAgentOptions> = {}): KeyAgent {
    const { clock, guard, keys, files } = this
    const agent = new KeyAgent(
      { clock, guard, keys, files, random: systemRandom },
      {
        ...this.place,
        keyDirectory: this.directory.join('key'),
        idleMs: 60_000,
        lifetimeMs: 3_600_000,
        ...options
      }
    )
    this.#opened.push(agent)
    return agent
  }

  async start(options: Partial<KeyAgentOptions> = {}): Promise<KeyAgent> {
    const agent = this.agent(options)
    await agent.start()
    return agent
  }

  client(clock: Clock = systemClock): KeyAgentClient {
    const client = new KeyAgentClient({ clock }, { path: this.path })
    this.#opened.push(client)
    return client
  }

  /** A sealed key; what it opens to is known to the fake store only. */
  async addKey(name: string): Promise<Did> {
    const key = generateKey(systemRandom)
    this.keys.keys.set(name, key)
    await this.files.writeAtomic(this.directory.join('key', `${name}.json`), key.publicKey.raw)
    return didOf(key.publicKey)
  }

  async unlock(client: KeyAgentClient, name: string, lifetimeMs?: number): Promise<void> {
    await client.unlock(this.guard, { name, passphrase: PASSPHRASE, lifetimeMs })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of this.#opened.reverse()) {
      if (Symbol.asyncDispose in opened) await opened[Symbol.asyncDispose]()
      else opened[Symbol.dispose]()
    }
    await this.directory[Symbol.asyncDispose]()
  }
}

/** A connection that speaks as a test wants. */
export class RawClient implements Disposable {
  readonly socket: Socket
  readonly #closed: Promise<string>

  private constructor(socket: Socket) {
    this.socket = socket
    let text = ''
    this.#closed = new Promise(resolve => {
      socket.on('data', chunk => {
        text += String(chunk)
      })
      socket.on('error', () => undefined).once('close', () => resolve(text))
    })
  }

  static async connect(path: string): Promise<RawClient> {
    const socket = connect(path)
    const client = new RawClient(socket)
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return client
  }

  /** Everything received until the other side hung up. */
  async untilClosed(): Promise<string> {
    return await this.#closed
  }

  /** The next line received. */
  async line(): Promise<string> {
    return await new Promise(resolve => this.socket.once('data', chunk => resolve(String(chunk))))
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}
