/**
 * The agent itself: listens on a socket only its user can reach, asks the kernel who calls, holds keys for a while and
 * signs tokens with them. It never gives a key out: there is no request for it. It ends by itself when it is not
 * needed, when its time is over, when its socket is gone, and with the session it was started in.
 */

import { lstatSync, renameSync, rmSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import { dirname, join } from 'node:path'
import type { KeyStore } from '../lib/crypto/index.ts'
import type { AbortOptions, Clock, FileStore, RandomSource, Startable, Timer } from '../types/index.ts'
import { bytesToHex, errorMessage } from '../utils/index.ts'
import { type Answer, Connection } from './connection.ts'
import { MAX_CONNECTIONS, WATCH_MS } from './constants.ts'
import { Elapsed } from './elapsed.ts'
import { KeyAgentError } from './errors.ts'
import { KeyRing, type KeyTimes } from './key-ring.ts'
import { isListening } from './probe.ts'
import { type AgentRequest, formatAnswer } from './protocol.ts'
import { isAlive } from './session-leader.ts'
import { isSignable } from './signable.ts'
import { type PlaceOptions, prepareSocketPlace, socketIdentity, socketPlaces } from './socket-place.ts'
import type { EndReason, KeyAgentStatus, SessionLeader, SystemGuard } from './types.ts'
import { Unlocker } from './unlocker.ts'

/** Permission bits taken from everything this makes while it binds: the socket is 0600 from its first moment. */
const SOCKET_UMASK = 0o177
const OTHERS = 0o077

/** What the agent works with. */
export interface KeyAgentDeps {
  readonly clock: Clock
  readonly random: RandomSource
  readonly files: FileStore
  readonly keys: Pick<KeyStore, 'open'>
  readonly guard: SystemGuard
}

/** Where the agent listens and how long it lives. */
export interface KeyAgentOptions extends PlaceOptions {
  /** Where the sealed keys are. */
  readonly keyDirectory: string
  /** Time without use after which a key is dropped, and without keys after which the agent ends. Milliseconds. */
  readonly idleMs: number
  /** Longest life of the agent and of every key. Milliseconds. */
  readonly lifetimeMs: number
  /** Ends the agent when it ends. */
  readonly leader?: SessionLeader | undefined
}

/** Listens after `start`, until `stop`; `ended` says when it is time for that. */
export class KeyAgent implements Startable {
  readonly #deps: KeyAgentDeps
  readonly #options: KeyAgentOptions
  readonly #ring: KeyRing
  readonly #unlocker: Unlocker
  readonly #connections = new Set<Connection>()
  readonly #ended = Promise.withResolvers<EndReason>()
  #life: Elapsed
  #unneeded: Elapsed
  #server: Server | undefined
  #socket: { readonly path: string; readonly identity: string } | undefined
  #timer: Timer | undefined

  constructor(deps: KeyAgentDeps, options: KeyAgentOptions) {
    this.#deps = deps
    this.#options = options
    this.#ring = new KeyRing(deps)
    this.#unlocker = new Unlocker({ ...deps, ring: this.#ring }, { directory: options.keyDirectory })
    this.#life = new Elapsed(deps.clock)
    this.#unneeded = new Elapsed(deps.clock)
  }

  /** Resolves when the agent has reason to end; its keys are dropped by then. Whoever started it stops it. */
  get ended(): Promise<EndReason> {
    return this.#ended.promise
  }

  /** Path of its socket while it runs. */
  get path(): string | undefined {
    return this.#socket?.path
  }

  /** Listens. @throws KeyAgentError when one runs already, or this one could not be kept to its user. */
  async start(options: AbortOptions = {}): Promise<void> {
    if (this.#server !== undefined) return
    const { files, guard, clock } = this.#deps
    guard.protectMemory()
    const path = prepareSocketPlace(this.#options)
    // Two that start together must not both find none.
    await using _lock = await files.lock(path, options)
    for (const place of socketPlaces(this.#options)) {
      if (!(await isListening(place))) continue
      throw new KeyAgentError('KEY_AGENT_RUNNING', `a key agent runs already on '${place}'`, {
        hint: "see 'nunet key agent --status'; stop it with 'nunet key agent --stop'"
      })
    }
    await this.#listen(path)
    this.#life = new Elapsed(clock)
    this.#unneeded = new Elapsed(clock)
    this.#watch()
  }

  /** Drops the keys, removes the socket, if it is still this agent's, and hangs up; in this order, so that who sees the end sees it all. */
  async stop(): Promise<void> {
    const server = this.#server
    const socket = this.#socket
    this.#server = undefined
    this.#socket = undefined
    this.#timer?.cancel()
    this.#ring.dropAll()
    if (socket !== undefined && socketIdentity(socket.path) === socket.identity)
      rmSync(socket.path, { force: true })
    const closed = Promise.withResolvers<void>()
    if (server?.listening) server.close(() => closed.resolve())
    else closed.resolve()
    for (const connection of this.#connections) connection[Symbol.dispose]()
    await closed.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /**
   * Binds under another name and moves the socket to its place: a stale one is replaced in one step, and closing the
   * server, which removes the name it was bound under, cannot remove the socket of a later agent.
   */
  async #listen(path: string): Promise<void> {
    const temporary = join(dirname(path), `.${bytesToHex(this.#deps.random.bytes(8))}`)
    const { createServer } = await import('node:net')
    const server = createServer(socket => this.#accept(socket))
    server.maxConnections = MAX_CONNECTIONS
    const listening = Promise.withResolvers<void>()
    server.once('listening', listening.resolve).on('error', listening.reject)
    const umask = process.umask(SOCKET_UMASK)
    try {
      server.listen({ path: temporary }) // binds before it returns
    } finally {
      process.umask(umask)
    }
    this.#server = server
    try {
      await listening.promise
      if ((lstatSync(temporary).mode & OTHERS) !== 0) throw new Error('others may write to it')
      renameSync(temporary, path)
      this.#socket = { path, identity: socketIdentity(path) ?? '' }
    } catch (cause) {
      await this.stop()
      throw new KeyAgentError('KEY_AGENT_SOCKET', `cannot listen on '${path}': ${errorMessage(cause)}`, {
        cause,
        hint: 'set XDG_RUNTIME_DIR to a private directory on a local disk'
      })
    }
  }

  /** NOTE: nothing is read before the kernel has said who it is. */
  #accept(socket: Socket): void {
    const { clock, guard } = this.#deps
    if (!isOwnPeer(guard, socket)) {
      socket.destroy()
      return
    }
    const connection = new Connection({
      clock,
      socket,
      answer: (request, signal) => this.#answer(request, signal)
    })
    this.#connections.add(connection)
    connection.start()
    socket.once('close', () => this.#connections.delete(connection))
  }

  async #answer(request: AgentRequest, signal: AbortSignal): Promise<Answer> {
    switch (request.op) {
      case 'status':
        return { line: formatAnswer('status', this.#status()) }
      case 'find':
        return { line: formatAnswer('find', { did: (await this.#held(request.name)).did }) }
      case 'sign':
        return { line: formatAnswer('sign', { signature: await this.#sign(request) }) }
      case 'unlock': {
        const { lifetimeMs } = request
        const held = await this.#unlocker.unlock(request, () => this.#times(lifetimeMs), { signal })
        return { line: formatAnswer('unlock', held) }
      }
      case 'lock':
        return { line: formatAnswer('lock', { names: this.#lock(request.names) }) }
      case 'stop':
        return { line: formatAnswer('stop', {}), after: () => this.#end('asked') }
    }
  }

  async #sign({ name, did, data }: Extract<AgentRequest, { op: 'sign' }>): Promise<Uint8Array> {
    const signer = await this.#held(name)
    if (signer.did !== did) throw lockedError(name)
    if (!isSignable(data)) {
      throw new KeyAgentError(
        'KEY_AGENT_REFUSED',
        'the agent signs tokens and the keys of sealed contexts only'
      )
    }
    const signature = await signer.sign(data)
    this.#ring.touch(name)
    return signature
  }

  /** A key that is held and still that of its name. */
  async #held(name: string) {
    const held = this.#ring.find(name)
    if (held === undefined) throw lockedError(name)
    if (!(await this.#unlocker.isCurrent(name, held.sealed))) {
      this.#ring.drop(name)
      throw lockedError(name)
    }
    return held.signer
  }

  #lock(names: readonly string[] | undefined): string[] {
    return names === undefined ? this.#ring.dropAll() : names.filter(name => this.#ring.drop(name))
  }

  #times(lifetimeMs = Number.POSITIVE_INFINITY): KeyTimes {
    const leftMs = this.#options.lifetimeMs - this.#life.ms
    return { idleMs: this.#options.idleMs, lifetimeMs: Math.min(lifetimeMs, leftMs) }
  }

  #status(): KeyAgentStatus {
    const { idleMs, lifetimeMs } = this.#options
    const endsAtMs = Math.ceil(this.#deps.clock.nowMs() + lifetimeMs - this.#life.ms)
    return { pid: process.pid, idleMs, endsAtMs, keys: this.#ring.list() }
  }

  #watch(): void {
    this.#timer = this.#deps.clock.setTimer(WATCH_MS, () => {
      this.#findReason().then(
        reason => {
          if (this.#server === undefined) return
          if (reason === undefined) this.#watch()
          else this.#end(reason)
        },
        () => this.#end('session') // what cannot be watched any more counts as over
      )
    })
  }

  async #findReason(): Promise<EndReason | undefined> {
    const { idleMs, lifetimeMs, leader } = this.#options
    if (this.#ring.size > 0) this.#unneeded = new Elapsed(this.#deps.clock)
    if (this.#life.ms >= lifetimeMs) return 'lifetime'
    if (this.#unneeded.ms >= idleMs) return 'idle'
    if (this.#socket === undefined || socketIdentity(this.#socket.path) !== this.#socket.identity)
      return 'socket'
    return leader === undefined || (await isAlive(this.#deps.files, leader)) ? undefined : 'session'
  }

  #end(reason: EndReason): void {
    this.#ring.dropAll()
    this.#ended.resolve(reason)
  }
}

/** Whether a connection comes from a process of this user; root is another user. */
function isOwnPeer(guard: SystemGuard, socket: Socket): boolean {
  try {
    return guard.peerUid(socket) === process.getuid?.()
  } catch {
    return false
  }
}

function lockedError(name: string): KeyAgentError {
  return new KeyAgentError('KEY_AGENT_LOCKED', `key '${name}' is locked`, {
    hint: `unlock it with 'nunet key unlock ${name}'`
  })
}
