/**
 * The medium that hosts of the in-process network share: who is there, how long a message takes, what is cut
 * and what is lost. All time comes from the clock and all chance from the random source, so that a simulation
 * of hundreds of hosts runs fast and the same way each time.
 */

import { type PrivateKey, peerIdOf } from '../../lib/crypto/index.ts'
import type { Clock, Logger, PeerId, RandomSource } from '../../types/index.ts'
import type { Network } from '../types.ts'
import type { Medium } from './medium.ts'
import { MemoryNetwork } from './network.ts'

/** Collaborators of a hub. */
export interface MemoryHubDeps {
  clock: Clock
  random: RandomSource
  log?: Logger | undefined
}

/** Settings of a hub. */
export interface MemoryHubOptions {
  /**
   * `all` (default): every host connects to every other when it starts, as nodes of a small network do after a
   * while. `none`: connections come from `connect` and `send` only.
   */
  discovery?: 'all' | 'none'
}

/** Resolution of `dropRate`: one in a million. */
const DROP_STEPS = 1_000_000

/** The hub of an in-process network, with knobs for latency, loss and partitions. */
export class MemoryNetworkHub implements Medium<MemoryNetwork> {
  readonly clock: Clock
  readonly log: Logger | undefined
  readonly #random: RandomSource
  readonly #discovery: 'all' | 'none'
  readonly #members = new Map<PeerId, MemoryNetwork>()
  readonly #cuts = new Map<PeerId, Set<PeerId>>()
  #minLatencyMs = 0
  #maxLatencyMs = 0
  #dropRate = 0

  /** How long a dial through a partition hangs before it fails. A stopped host refuses at once. Default 0. */
  dialLimitMs = 0

  constructor(deps: MemoryHubDeps, options: MemoryHubOptions = {}) {
    this.clock = deps.clock
    this.log = deps.log
    this.#random = deps.random
    this.#discovery = options.discovery ?? 'all'
  }

  /** A host of this hub. It takes part from its `start` to its `stop`. */
  createNetwork(identity: PeerId | PrivateKey): Network {
    return new MemoryNetwork(this, typeof identity === 'string' ? identity : peerIdOf(identity.publicKey))
  }

  /** One-way delay of everything from now on, drawn evenly between the two. 0 delivers in the same turn of the event loop. */
  setLatency(minMs: number, maxMs: number = minMs): void {
    this.#minLatencyMs = minMs
    this.#maxLatencyMs = Math.max(minMs, maxMs)
  }

  /** Share of messages and broadcasts, 0 to 1, that are lost on the way without anybody being told. */
  get dropRate(): number {
    return this.#dropRate
  }

  set dropRate(rate: number) {
    this.#dropRate = Math.min(Math.max(rate, 0), 1)
  }

  /** Cuts the line between two hosts: they see each other disconnect, and nothing in transit arrives. */
  partition(a: PeerId, b: PeerId): void {
    for (const [from, to] of [[a, b] as const, [b, a] as const]) {
      const cuts = this.#cuts.get(from) ?? new Set()
      this.#cuts.set(from, cuts.add(to))
    }
    this.#members.get(a)?.disconnected(b)
    this.#members.get(b)?.disconnected(a)
  }

  /** Undoes `partition`, for all pairs when called without arguments. With discovery `all` the hosts connect again. */
  heal(a?: PeerId, b?: PeerId): void {
    if (a === undefined || b === undefined) {
      this.#cuts.clear()
    } else {
      this.#cuts.get(a)?.delete(b)
      this.#cuts.get(b)?.delete(a)
    }
    if (this.#discovery === 'all') for (const member of this.#members.values()) this.#discover(member)
  }

  reach(from: PeerId, to: PeerId): MemoryNetwork | undefined {
    return this.isCut(from, to) ? undefined : this.#members.get(to)
  }

  isCut(a: PeerId, b: PeerId): boolean {
    return this.#cuts.get(a)?.has(b) ?? false
  }

  latencyMs(): number {
    const spread = this.#maxLatencyMs - this.#minLatencyMs
    return spread === 0 ? this.#minLatencyMs : this.#minLatencyMs + this.#random.below(Math.floor(spread) + 1)
  }

  loses(): boolean {
    return this.#dropRate > 0 && this.#random.below(DROP_STEPS) < this.#dropRate * DROP_STEPS
  }

  join(member: MemoryNetwork): void {
    this.#members.set(member.peerId, member)
    if (this.#discovery === 'all') this.#discover(member)
  }

  leave(member: MemoryNetwork): void {
    if (this.#members.get(member.peerId) !== member) return
    this.#members.delete(member.peerId)
    for (const peer of member.connections()) this.#members.get(peer)?.disconnected(member.peerId)
  }

  link(a: MemoryNetwork, b: MemoryNetwork): void {
    if (a === b || a.isConnected(b.peerId)) return
    a.connected(b)
    b.connected(a)
  }

  #discover(member: MemoryNetwork): void {
    for (const other of [...this.#members.values()]) {
      if (!this.isCut(member.peerId, other.peerId)) this.link(member, other)
    }
  }
}

/**
 * Makes an in-process network.
 *
 * @example
 * const hub = createMemoryNetworkHub({ clock: systemClock, random: systemRandom })
 * const network = hub.createNetwork(peerId)
 * await network.start()
 */
export function createMemoryNetworkHub(deps: MemoryHubDeps, options?: MemoryHubOptions): MemoryNetworkHub {
  return new MemoryNetworkHub(deps, options)
}
