/** The network contract: what the actor layer and the node need from a peer-to-peer host (runtime §1.13). */

import type { AbortOptions, PeerId, Startable } from '../types/index.ts'

/** A peer this host knows. */
export interface PeerInfo {
  readonly peer: PeerId
  readonly connected: boolean
  /** Multiaddresses without the `/p2p/…` suffix, except in relay addresses. */
  readonly addresses: readonly string[]
}

/** Takes one whole message. Called once per message; a thrown error is logged and the message is dropped. */
export type MessageHandler = (payload: Uint8Array, from: PeerId) => void

/** Undo of a registration or subscription. Calling it twice does nothing. */
export interface Registration {
  unregister(): void
}

/**
 * Verdict on a broadcast message before it is passed on: `accept` delivers and forwards it, `ignore` drops it,
 * `reject` drops it and lowers the score of the peer that sent it.
 */
export type TopicVerdict = 'accept' | 'ignore' | 'reject'

/** What a subscription does with the broadcasts of its topic. Own publications are handled without being validated. */
export interface TopicHandlers {
  /** Runs once per message, also when several subscriptions of one topic exist; the first verdict but `accept` wins. */
  validate?: (payload: Uint8Array, from: PeerId) => TopicVerdict | Promise<TopicVerdict>
  handle: MessageHandler
}

/** Events of the host, for supervision and for the bid window. */
export type NetworkEvent =
  | { readonly type: 'peer-connected'; readonly peer: PeerId }
  | { readonly type: 'peer-disconnected'; readonly peer: PeerId }
  | {
      readonly type: 'subscription-changed'
      readonly peer: PeerId
      readonly topic: string
      readonly subscribed: boolean
    }

/** Score of a peer as gossip sees it. Member names are the wire names of `/dms/node/peers/score`. */
export interface PeerScore {
  Score: number
  Topics: Record<string, unknown>
  AppSpecificScore: number
  IPColocationFactor: number
  BehaviourPenalty: number
}

/**
 * A peer-to-peer host. One message per call, whole or not at all: framing, connection set-up and look-up of
 * addresses are its business. Order between two messages is not promised.
 */
export interface Network extends Startable {
  /** Known before `start`: it is derived from the host key. */
  readonly peerId: PeerId

  /** Addresses this host can be reached at now, without the `/p2p/…` suffix. */
  addresses(): string[]

  /** All peers in the address book, connected or not, without this host itself. */
  peers(): Promise<PeerInfo[]>

  /** Peers in the routing table of the DHT. Empty before the first exchange. */
  routingTable(): PeerId[]

  /** Gossip scores by peer. */
  scores(): Record<string, PeerScore>

  /**
   * Connects to a multiaddress that ends in `/p2p/<peer id>`, or to `/p2p/<peer id>` alone, which is looked up.
   * @throws NetworkError `NETWORK_ADDRESS_INVALID`, `NETWORK_UNREACHABLE`.
   */
  connect(address: string, options?: AbortOptions): Promise<PeerId>

  isConnected(peer: PeerId): boolean

  /** IP address at the other end of the direct connection to a peer; `undefined` without one, or through a relay. */
  remoteIp(peer: PeerId): string | undefined

  /** Round trip in milliseconds. Pinging oneself or an unreachable peer is a `NetworkError`. */
  ping(peer: PeerId, options?: AbortOptions): Promise<number>

  /**
   * Takes messages of one protocol, for example `actor/root/messages/0.0.1`.
   * @throws NetworkError `NETWORK_PROTOCOL_TAKEN` when the protocol has a handler.
   */
  handleMessages(protocol: string, handler: MessageHandler): Registration

  /**
   * Delivers one message to a peer: connects when needed, negotiates the protocol, writes, closes. To the host's
   * own peer id it calls the local handler. Resolves when the bytes are handed over, which is no acknowledgement.
   * @throws NetworkError `NETWORK_MESSAGE_TOO_LARGE`, `NETWORK_UNREACHABLE`, `NETWORK_PROTOCOL_UNSUPPORTED`,
   *   `CAPACITY_EXCEEDED` when too many sends are under way.
   */
  send(peer: PeerId, protocol: string, payload: Uint8Array, options?: AbortOptions): Promise<void>

  /** Publishes on a topic. With no peer subscribed it still succeeds: gossip promises nothing. Own subscribers get it as well. */
  publish(topic: string, payload: Uint8Array): Promise<void>

  /** Joins a topic. The topic is left when its last subscription is undone. */
  subscribe(topic: string, handlers: TopicHandlers): Registration

  /** Remote peers known to be subscribed to a topic now. */
  subscribers(topic: string): PeerId[]

  /** Listens to events; returns the way to leave. */
  onEvent(listener: (event: NetworkEvent) => void): () => void
}
