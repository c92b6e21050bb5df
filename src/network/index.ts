/**
 * The peer-to-peer network: the contract every host keeps, its errors and limits, and the in-process
 * implementation. The libp2p implementation has a door of its own, `network/libp2p`, because it is heavy to load.
 *
 * @example
 * const hub = createMemoryNetworkHub({ clock: systemClock, random: systemRandom })
 * await using alice = hub.createNetwork(alicePeerId)
 * await using bob = hub.createNetwork(bobPeerId)
 * await Promise.all([alice.start(), bob.start()])
 * bob.handleMessages('greeting/0.0.1', (payload, from) => greet(payload, from))
 * await alice.send(bob.peerId, 'greeting/0.0.1', utf8ToBytes('hello'))
 *
 * @packageDocumentation
 */
export {
  BOOTSTRAP_LIMIT_MS,
  CONNECT_LIMIT_MS,
  DHT_PROTOCOL,
  MAX_BROADCAST_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_SEND_BYTES_IN_FLIGHT,
  MAX_SENDS_IN_FLIGHT,
  MESSAGE_HEADER_BYTES,
  MESSAGE_READ_LIMIT_MS,
  PEER_LOOKUP_LIMIT_MS
} from './constants.ts'
export { NetworkError, type NetworkErrorCode } from './errors.ts'
export {
  createMemoryNetworkHub,
  type MemoryHubDeps,
  type MemoryHubOptions,
  type MemoryNetworkHub
} from './memory/hub.ts'
export type {
  MessageHandler,
  Network,
  NetworkEvent,
  PeerInfo,
  PeerScore,
  Registration,
  TopicHandlers,
  TopicVerdict
} from './types.ts'
