/**
 * The libp2p host behind the network contract. The parts that live from `start` to `stop` are held together as one
 * session; registrations of handlers and topics are kept outside of it, so they may come before the start and
 * outlast a restart.
 */

import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import type { AbortOptions, PeerId } from '../../types/index.ts'
import { deadline, Emitter, errorMessage, raceSignal } from '../../utils/index.ts'
import { BOOTSTRAP_LIMIT_MS } from '../constants.ts'
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
import { parseTarget, peerIdOf, withoutPeer } from './addresses.ts'
import { encodeFrame } from './frame.ts'
import { Penalties } from './penalties.ts'
import { routingTablePeers } from './routing-table.ts'
import { Session } from './session.ts'
import type { Libp2pNetworkDeps, Libp2pNetworkOptions } from './types.ts'

export class Libp2pNetwork implements Network {
  readonly peerId: PeerId
  readonly #deps: Libp2pNetworkDeps
  readonly #options: Libp2pNetworkOptions
  readonly #events = new Emitter<NetworkEvent>()
  readonly #sends = new SendGate()
  readonly #protocols: ProtocolTable
  readonly #topics: TopicTable
  readonly #penalties: Penalties
  #session: Session | undefined
  #starting: Promise<void> | undefined
  #stopping: Promise<void> = Promise.resolve()

  constructor(deps: Libp2pNetworkDeps, options: Libp2pNetworkOptions) {
    this.#deps = deps
    this.#options = options
    this.peerId = peerIdOf(peerIdFromPrivateKey(privateKeyFromProtobuf(deps.privateKey.toProtobuf())))
    this.#penalties = new Penalties(deps)
    this.#protocols = new ProtocolTable(deps)
    this.#topics = new TopicTable({
      log: deps.log,
      events: {
        joined: topic => this.#session?.gossip.join(topic),
        left: topic => this.#session?.gossip.leave(topic)
      }
    })
  }

  /** @throws NetworkError `NETWORK_LISTEN_FAILED`, `NETWORK_ADDRESS_INVALID` for a listen address. */
  async start({ signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    this.#starting ??= this.#start()
    try {
      await raceSignal(this.#starting, signal)
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async #start(): Promise<void> {
    // The listen address is free again only when the last session is over.
    await this.#stopping
    this.#session = await Session.open(
      {
        ...this.#deps,
        protocols: this.#protocols,
        topics: this.#topics,
        penalties: this.#penalties,
        emit: event => this.#events.emit(event)
      },
      this.#options
    )
  }

  async stop(): Promise<void> {
    const starting = this.#starting
    if (starting !== undefined) {
      this.#starting = undefined
      this.#stopping = this.#stop(starting)
    }
    await this.#stopping
  }

  async #stop(starting: Promise<void>): Promise<void> {
    await starting.catch(() => undefined)
    const session = this.#session
    this.#session = undefined
    await session?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  addresses(): string[] {
    return this.#session?.host.getMultiaddrs().map(withoutPeer) ?? []
  }

  async peers(): Promise<PeerInfo[]> {
    const session = this.#session
    if (!session) return []
    const all = await session.host.peerStore.all()
    return all
      .map(({ id, addresses }) => ({
        peer: peerIdOf(id),
        connected: this.isConnected(peerIdOf(id)),
        addresses: addresses.map(({ multiaddr }) => withoutPeer(multiaddr))
      }))
      .filter(({ peer }) => peer !== this.peerId)
  }

  routingTable(): PeerId[] {
    return this.#session ? routingTablePeers(this.#session.host.services.dht) : []
  }

  scores(): Record<string, PeerScore> {
    const scores: Record<string, PeerScore> = {}
    for (const id of this.#session?.host.services.gossip.getPeers() ?? []) {
      const penalty = this.#penalties.of(id.toString())
      // The application's part is the only one that is on (see gossip-options), so it is the whole score.
      const score = penalty === 0 ? 0 : -penalty
      scores[id.toString()] = {
        Score: score,
        Topics: {},
        AppSpecificScore: score,
        IPColocationFactor: 0,
        BehaviourPenalty: 0
      }
    }
    return scores
  }

  async connect(address: string, { signal }: AbortOptions = {}): Promise<PeerId> {
    const target = parseTarget(address)
    if (target.peer === this.peerId) throw isSelf(target.peer)
    const { session, signal: running } = this.#running(signal)
    if (target.address === undefined) await session.dialer.reach(target.peer, running)
    else await session.dialer.dialAddress(target.peer, target.address, BOOTSTRAP_LIMIT_MS, running)
    return target.peer
  }

  isConnected(peer: PeerId): boolean {
    return this.#session?.dialer.existing(peer) !== undefined
  }

  remoteIp(peer: PeerId): string | undefined {
    const address = this.#session?.dialer.existing(peer)?.remoteAddr.toString() ?? ''
    return address.includes('/p2p-circuit') ? undefined : /^\/ip[46]\/([^/]+)/.exec(address)?.[1]
  }

  async ping(peer: PeerId, { signal }: AbortOptions = {}): Promise<number> {
    if (peer === this.peerId) throw isSelf(peer)
    const { session, signal: running } = this.#running(signal)
    await session.dialer.reach(peer, running)
    running.throwIfAborted()
    using limit = deadline(this.#deps.clock, BOOTSTRAP_LIMIT_MS, `pinging '${peer}'`, running)
    try {
      const pinging = session.host.services.ping.ping(peerIdFromString(peer), { signal: limit.signal })
      return await raceSignal(pinging, limit.signal)
    } catch (cause) {
      running.throwIfAborted()
      throw unreachable(peer, limit.signal.aborted ? limit.signal.reason : cause)
    }
  }

  handleMessages(protocol: string, handler: MessageHandler): Registration {
    const registration = this.#protocols.register(protocol, handler, () => this.#session?.unhandle(protocol))
    this.#session?.handle(protocol)
    return registration
  }

  async send(
    peer: PeerId,
    protocol: string,
    payload: Uint8Array,
    { signal }: AbortOptions = {}
  ): Promise<void> {
    const { session, signal: running } = this.#running(signal)
    checkMessageSize(payload)
    await this.#sends.run(payload.length, async () => {
      if (peer === this.peerId) this.#sendToSelf(protocol, payload.slice())
      else {
        const message = { peer, protocol, frame: encodeFrame(payload) }
        await session.outbound.send(message, () => session.dialer.reach(peer, running), running)
      }
    })
  }

  #sendToSelf(protocol: string, payload: Uint8Array): void {
    if (!this.#protocols.has(protocol)) {
      throw unsupported(this.peerId, protocol)
    }
    queueMicrotask(() => this.#protocols.deliver(protocol, payload, this.peerId))
  }

  async publish(topic: string, payload: Uint8Array): Promise<void> {
    const { session } = this.#running(undefined)
    checkBroadcastSize(payload)
    if (this.#topics.has(topic)) {
      const copy = payload.slice()
      queueMicrotask(() => this.#topics.deliver(topic, copy, this.peerId))
    }
    await session.gossip.publish(topic, payload)
  }

  subscribe(topic: string, handlers: TopicHandlers): Registration {
    return this.#topics.add(topic, handlers)
  }

  subscribers(topic: string): PeerId[] {
    return this.#session?.gossip.subscribers(topic) ?? []
  }

  onEvent(listener: (event: NetworkEvent) => void): () => void {
    return this.#events.on(event => {
      try {
        listener(event)
      } catch (error) {
        this.#deps.log.warn('network event listener failed', { error: errorMessage(error) })
      }
    })
  }

  /** The session, and a signal that fires with its end or with the caller's. @throws NetworkError `NETWORK_NOT_RUNNING`. */
  #running(signal: AbortSignal | undefined): { session: Session; signal: AbortSignal } {
    signal?.throwIfAborted()
    const session = this.#session
    if (!session) {
      throw notRunning()
    }
    return { session, signal: signal ? AbortSignal.any([session.lifetime, signal]) : session.lifetime }
  }
}
