/** Limits and defaults of the actor layer, each with its unit and source. */

import type { LimiterOptions } from './types.ts'

/** Inbox of the node's own actor (identity-and-actors §8.1). */
export const ROOT_INBOX = 'root'

/** Message expiry from now when the caller names none (§8.4). */
export const MESSAGE_LIFE_MS = 30_000

/** Prefix of default reply behaviours; a nonce follows (§8.4). */
export const REPLY_PREFIX = '/dms/actor/replyto/'

/** Behaviours under it count against the public limit (§9.5). */
export const PUBLIC_PREFIX = '/public/'

/** Messages waiting for their checks, per actor; further ones are dropped (§9.1). */
export const QUEUE_CAPACITY = 100

/** Places in that queue one peer may hold, so that a flood from one peer leaves room for the others. */
export const QUEUE_SHARE_PER_PEER = 50

/**
 * A message that expires later than this from now is refused. Deployments carry their whole time limit as the
 * expiry of one message, so the bound is wide: it only keeps replay records and timers from living for ever.
 */
export const MAX_EXPIRY_AHEAD_NS = 366n * 24n * 3600n * 1_000_000_000n

/** Handlers in flight (§9.5). The bound per peer is ours: the existing system has none on other unicast messages. */
export const LIMITS: Required<LimiterOptions> = {
  publicAllow: 4096,
  publicAcquire: 4112,
  broadcastAllow: 1024,
  broadcastAcquire: 1040,
  topicDefault: 128,
  topics: {},
  peerAllow: 512,
  peerAcquire: 528
}

/** Invocations of one actor that wait for a reply at once: as many as the network has sends in flight (§10.1). */
export const MAX_PENDING_REPLIES = 4096

/** Replies to one broadcast that wait for their reader; later ones are dropped. */
export const BROADCAST_REPLY_CAPACITY = 4096

/** Replies to one broadcast taken from one actor. */
export const BROADCAST_REPLIES_PER_SENDER = 64

/** Senders whose nonces an actor remembers; the one heard from longest ago goes first. */
export const REPLAY_SENDERS = 4096

/** Nonces remembered per sender; beyond them its oldest nonces and all below count as seen. */
export const REPLAY_NONCES_PER_SENDER = 1024

/** Nonces remembered by one actor in all: about 10 MiB. */
export const REPLAY_TOTAL = 65_536

/** Messages of one actor that wait for keys of issuers to be looked up, and those of one peer among them. */
export const MAX_WAITING_FOR_KEYS = 64
export const WAITING_FOR_KEYS_PER_PEER = 8

/** How long a message waits for such keys, within its own life of usually 30 s (§8.4). */
export const LOOKUP_LIMIT_MS = 10_000
