/**
 * One host of the in-process network. It keeps the promises of the contract that cost time or fail in a real
 * host: sends negotiate, connections are made when needed, subscriptions become known after a delay, handlers
 * get copies, and everything under way ends with `stop`.
 */

import type { AbortOptions, PeerId } from '../../types/index.ts'
import { Emitter, errorMessage } from '../../utils/index.ts'
import { NetworkError } from '../errors.ts'
import { isSelf, notRunning, unreachable, unsupported } from '../faults.ts'
import { checkBroadcastSize, checkMessageSize, SendGate } from '../limits.ts'
import { ProtocolTable } from '../protocol-table.ts'
import { TopicTable } from '../topic-table.ts'
import type {
  MessageHandler,
  Network,
  NetworkEvent,
  PeerInfo,
  PeerScore,
  Registration,
  TopicHandlers
} from '../types.ts'
import type { Medium } from './medium.ts'
import { Transit } from './transit.ts'

/** What a rejected broadcast costs the peer that sent it; the square of the count as in gossipsub's P4 would need a decay. */
const REJECT_PENALTY = 10

interface GossipRoute {
  target: MemoryNetwork
  from: PeerId
  delayMs: number
}

export class MemoryNetwork implements Network {
  readonly peerId: PeerId
  readonly #hub: Medium<MemoryNetwork>
  readonly #transit: Transit
  readonly #protocols: ProtocolTable
  readonly #topics: TopicTable
  readonly #events = new Emitter<NetworkEvent>()
  readonly #sends = new SendGate()
  readonly #connected = new Map<PeerId, MemoryNetwork>()
  readonly #known = new Set<PeerId>()
  readonly #subscribers = new Map<string, Set<PeerId>>()
  readonly #penalties = new Map<PeerId, number>()
  #lifetime: AbortController | undefined

  constructor(hub: Medium<MemoryNetwork>, peerId: PeerId) {
    this.#hub = hub
    this.peerId = peerId
    this.#transit = new Transit(hub.clock)
    this.#protocols = new ProtocolTable({ log: hub.log })
    const announce = (topic: string) => this.#announce(topic)
    this.#topics = new TopicTable({ log: hub.log, events: { joined: announce, left: announce } })
  }

  async start({ signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    if (this.#lifetime) return
    this.#lifetime = new AbortController()
    this.#hub.join(this)
  }

  async stop(): Promise<void> {
    const lifetime = this.#lifetime
    if (!lifetime) return
    this.#lifetime = undefined
    this.#hub.leave(this)
    lifetime.abort(notRunning())
    this.#transit.clear()
    for (const peer of [...this.#connected.keys()]) this.disconnected(peer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  addresses(): string[] {
    return this.#lifetime ? [`/memory/${this.peerId}`] : []
  }

  async peers(): Promise<PeerInfo[]> {
    return [...this.#known].map(peer => ({
      peer,
      connected: this.isConnected(peer),
      addresses: [`/memory/${peer}`]
    }))
  }

  routingTable(): PeerId[] {
    return this.connections()
  }

  scores(): Record<string, PeerScore> {
    const scores: Record<string, PeerScore> = {}
    for (const peer of this.#connected.keys()) {
      const penalty = this.#penalties.get(peer) ?? 0
      scores[peer] = {
        Score: penalty === 0 ? 0 : -penalty,
        Topics: {},
        AppSpecificScore: 0,
        IPColocationFactor: 0,
        BehaviourPenalty: penalty
      }
    }
    return scores
  }

  async connect(address: string, { signal }: AbortOptions = {}): Promise<PeerId> {
    const peer = peerOfAddress(address)
    if (peer === this.peerId) throw isSelf(peer)
    await this.#reach(peer, this.#running(signal))
    return peer
  }

  isConnected(peer: PeerId): boolean {
    return this.#connected.has(peer)
  }

  /** All hosts of a hub are on one machine. */
  remoteIp(peer: PeerId): string | undefined {
    return this.isConnected(peer) ? '127.0.0.1' : undefined
  }

  connections(): PeerId[] {
    return [...this.#connected.keys()]
  }

  async ping(peer: PeerId, { signal }: AbortOptions = {}): Promise<number> {
    if (peer === this.peerId) throw isSelf(peer)
    const running = this.#running(signal)
    await this.#reach(peer, running)
    const startMs = this.#hub.clock.monotonicMs()
    await this.#roundTrip(running)
    if (!this.isConnected(peer)) throw unreachable(peer)
    return this.#hub.clock.monotonicMs() - startMs
  }

  handleMessages(protocol: string, handler: MessageHandler): Registration {
    return this.#protocols.register(protocol, handler)
  }

  async send(
    peer: PeerId,
    protocol: string,
    payload: Uint8Array,
    { signal }: AbortOptions = {}
  ): Promise<void> {
    const running = this.#running(signal)
    checkMessageSize(payload)
    const copy = payload.slice()
    await this.#sends.run(copy.length, async () => {
      if (peer === this.peerId) {
        if (!this.#protocols.has(protocol)) throw unsupported(peer, protocol)
        this.#transit.carry(0, () => this.#protocols.deliver(protocol, copy, peer))
        return
      }
      await this.#reach(peer, running)
      await this.#roundTrip(running)
      const target = this.#connected.get(peer)
      if (!target) throw unreachable(peer)
      if (!target.#protocols.has(protocol)) throw unsupported(peer, protocol)
      if (this.#hub.loses()) return
      this.#carryTo(target, () => target.#protocols.deliver(protocol, copy, this.peerId))
    })
  }

  async publish(topic: string, payload: Uint8Array): Promise<void> {
    this.#running(undefined)
    checkBroadcastSize(payload)
    if (this.#topics.has(topic)) {
      const copy = payload.slice()
      this.#transit.carry(0, () => this.#topics.deliver(topic, copy, this.peerId))
    }
    for (const { target, from, delayMs } of this.#gossipRoutes(topic)) {
      if (this.#hub.loses()) continue
      const copy = payload.slice()
      target.#transit.carry(delayMs, () => {
        if (!this.#hub.isCut(from, target.peerId)) void target.#receive(topic, copy, this.peerId)
      })
    }
  }

  subscribe(topic: string, handlers: TopicHandlers): Registration {
    return this.#topics.add(topic, handlers)
  }

  subscribers(topic: string): PeerId[] {
    return [...(this.#subscribers.get(topic) ?? [])]
  }

  onEvent(listener: (event: NetworkEvent) => void): () => void {
    return this.#events.on(event => {
      try {
        listener(event)
      } catch (error) {
        this.#hub.log?.warn('network event listener failed', { error: errorMessage(error) })
      }
    })
  }

  /** Called by the hub: a connection exists from now on. */
  connected(other: MemoryNetwork): void {
    this.#connected.set(other.peerId, other)
    this.#known.add(other.peerId)
    this.#events.emit({ type: 'peer-connected', peer: other.peerId })
    if (this.#topics.topics().length === 0) return
    this.#carryTo(other, () => {
      for (const topic of this.#topics.topics()) other.#learn(topic, this)
    })
  }

  /** Called by the hub: a connection is gone. */
  disconnected(peer: PeerId): void {
    if (!this.#connected.delete(peer)) return
    for (const [topic, peers] of this.#subscribers) {
      if (peers.delete(peer)) {
        this.#events.emit({ type: 'subscription-changed', peer, topic, subscribed: false })
      }
      if (peers.size === 0) this.#subscribers.delete(topic)
    }
    this.#events.emit({ type: 'peer-disconnected', peer })
  }

  /** The subscribers a broadcast reaches, each by its last hop: gossip goes around a missing line through other subscribers. */
  #gossipRoutes(topic: string): GossipRoute[] {
    const seen = new Set<MemoryNetwork>([this])
    const routes: GossipRoute[] = [{ target: this, from: this.peerId, delayMs: 0 }]
    for (const { target, delayMs } of routes) {
      for (const next of target.#connected.values()) {
        if (seen.has(next) || !next.#topics.has(topic)) continue
        seen.add(next)
        routes.push({ target: next, from: target.peerId, delayMs: delayMs + this.#hub.latencyMs() })
      }
    }
    return routes.slice(1)
  }

  async #receive(topic: string, payload: Uint8Array, from: PeerId): Promise<void> {
    const verdict = await this.#topics.validate(topic, payload, from)
    if (verdict === 'reject') {
      this.#penalties.set(from, (this.#penalties.get(from) ?? 0) + REJECT_PENALTY)
    }
    if (verdict === 'accept' && this.#lifetime) this.#topics.deliver(topic, payload, from)
  }

  /** One delay for all peers: a timer for each would be the main cost of a simulation with hundreds of hosts. */
  #announce(topic: string): void {
    this.#transit.carry(this.#hub.latencyMs(), () => {
      for (const other of this.#connected.values()) other.#learn(topic, this)
    })
  }

  /** Looks at the state now, not at that of the time of sending, so that overtaking announcements do no harm. */
  #learn(topic: string, peer: MemoryNetwork): void {
    if (!this.isConnected(peer.peerId)) return
    const peers = this.#subscribers.get(topic) ?? new Set()
    const subscribed = peer.#topics.has(topic)
    if (subscribed === peers.has(peer.peerId)) return
    if (subscribed) this.#subscribers.set(topic, peers.add(peer.peerId))
    else if (peers.delete(peer.peerId) && peers.size === 0) this.#subscribers.delete(topic)
    this.#events.emit({ type: 'subscription-changed', peer: peer.peerId, topic, subscribed })
  }

  /** Carries something over the line to `target`. It is lost when the line is cut or the target stops before it arrives. */
  #carryTo(target: MemoryNetwork, arrive: () => void): void {
    target.#transit.carry(this.#hub.latencyMs(), () => {
      if (!this.#hub.isCut(this.peerId, target.peerId)) arrive()
    })
  }

  async #reach(peer: PeerId, signal: AbortSignal): Promise<void> {
    if (this.isConnected(peer)) return
    if (this.#hub.isCut(this.peerId, peer) && this.#hub.dialLimitMs > 0) {
      await this.#hub.clock.sleep(this.#hub.dialLimitMs, { signal })
    } else {
      await this.#roundTrip(signal)
    }
    const target = this.#hub.reach(this.peerId, peer)
    if (!target) throw unreachable(peer)
    this.#hub.link(this, target)
  }

  async #roundTrip(signal: AbortSignal): Promise<void> {
    const ms = this.#hub.latencyMs() + this.#hub.latencyMs()
    if (ms > 0) await this.#hub.clock.sleep(ms, { signal })
    signal.throwIfAborted()
  }

  /** A signal that fires with `stop` or with the caller's. @throws NetworkError `NETWORK_NOT_RUNNING`. */
  #running(signal: AbortSignal | undefined): AbortSignal {
    signal?.throwIfAborted()
    if (!this.#lifetime) throw notRunning()
    return signal ? AbortSignal.any([this.#lifetime.signal, signal]) : this.#lifetime.signal
  }
}

function peerOfAddress(address: string): PeerId {
  const peer = /^(?:\/[^/]+)*\/p2p\/([^/]+)$/.exec(address)?.[1]
  if (peer === undefined) {
    throw new NetworkError(
      'NETWORK_ADDRESS_INVALID',
      `'${address}' is not an address that ends in /p2p/<peer id>`
    )
  }
  return peer as PeerId // the hub knows its members by the text; an unknown one is unreachable
}
