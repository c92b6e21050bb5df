/** NuActor (identity-and-actors §8 to §10): messages, behaviours and the actors that exchange them. */

import type { z } from 'zod'
import type { Token } from '../lib/ucan/index.ts'
import type { AbortOptions, Handle, PeerId, Refusal, Result, Startable } from '../types/index.ts'
import type { Envelope } from './message/types.ts'

/** What a handler sees of a message that was admitted. */
export interface MessageContext<Request> {
  readonly from: Handle
  readonly behavior: string
  readonly payload: Request
  readonly expiresAtNs: bigint
  /** True when it came over a topic: any number of actors may have got it. */
  readonly isBroadcast: boolean
  /** The token that let it in; absent for messages of this very actor to itself. */
  readonly proof?: Token | undefined
  /** Fires at the message's expiry, at the behaviour's time limit and when the actor stops. No reply is sent after that. */
  readonly signal: AbortSignal
}

/**
 * Declaration of a behaviour. The capability is its path unless `capabilities` says otherwise. A handler's
 * return value is sent as the reply when the sender asked for one; `undefined` sends none.
 */
export interface Behavior<Request = unknown, Reply = unknown> {
  readonly path: string
  readonly request: z.ZodType<Request>
  /**
   * Any one of these lets a message in. Default: `[path]`. NOTE: senders make tokens for the path they call and no
   * more (§8.6), so only capabilities at or below the path can ever be shown.
   */
  readonly capabilities?: readonly string[]
  /** Takes broadcasts on this topic as well as unicast messages. */
  readonly topic?: string
  /** The payload carries tokens: integers beyond 2^53 keep their digits, see `exactJson`. Default: they are rounded. */
  readonly exact?: boolean
  /** Handler time limit; the message's own expiry holds as well. */
  readonly timeLimitMs?: number
  readonly handle: (context: MessageContext<Request>) => Promise<Reply | undefined> | Reply | undefined
  /**
   * Reply to a payload that does not fit (`refusal`), or to a handler that threw (`error`). Default: a log line, and
   * for unicast messages an explained refusal, `ACTOR_PAYLOAD_INVALID` or `ACTOR_HANDLER_FAILED`; of a thrown error
   * only a NuError's code and message are told.
   */
  readonly onError?: (problem: {
    readonly message: string
    readonly refusal?: Refusal
    readonly error?: unknown
  }) => Reply
}

/** A reply as it came back. */
export interface Reply {
  readonly from: Handle
  readonly payload: unknown
}

/** How long a message lives and where its reply goes. */
export interface InvokeOptions extends AbortOptions {
  /** Message expiry from now. Default 30 s (§8.4). The wait for the reply ends with it. */
  timeoutMs?: number
  /** Name of the reply behaviour; default `/dms/actor/replyto/<nonce>`. Static grants may need a fixed one. */
  replyTo?: string
  /** The reply carries tokens: integers beyond 2^53 keep their digits, see `exactJson`. */
  exact?: boolean
}

/** The actor as the rest of the node uses it. */
export interface Actor extends AsyncDisposable {
  readonly handle: Handle

  /** Registers a behaviour, replacing one of the same path; returns the undo. With a topic it subscribes to it. */
  addBehavior<Request, Reply>(behavior: Behavior<Request, Reply>): () => void

  /**
   * Sends and waits for the answer. Silence until expiry is a refusal with code `ACTOR_NO_REPLY`; an explained
   * refusal of a peer that knows us comes back as `ACTOR_REFUSED` with its tree as cause; a peer that cannot be
   * reached as `ACTOR_UNREACHABLE`; a stop of this actor as `ACTOR_NOT_RUNNING`. Only the asked actor's reply counts.
   * An abort throws its reason.
   */
  invoke(to: Handle, behavior: string, payload: unknown, options?: InvokeOptions): Promise<Result<Reply>>

  /** Sends without asking for an answer. */
  send(to: Handle, behavior: string, payload: unknown, options?: InvokeOptions): Promise<Result<void>>

  /**
   * Publishes on a topic, at once, and yields replies as they come until expiry, abort or stop (the loop then ends
   * without an error), or until the consumer leaves the loop. To be iterated once. Replies of actors that hold no
   * right to `replyTo` are dropped: a broadcast carries none, so it must be granted (`/dms/deployment/bid`) or come
   * from a root. When publishing fails the loop throws.
   */
  broadcast(topic: string, behavior: string, payload: unknown, options?: InvokeOptions): AsyncIterable<Reply>

  /** A child with its own key and inbox, sharing network, limits and capability context (§9.6). */
  createChild(options: { inbox: string; privateKey?: Uint8Array }): Promise<ChildActor>

  stop(): Promise<void>
}

/** An actor with a key of its own beside the root's: an orchestrator, an allocation. Stops with its parent. */
export interface ChildActor extends Actor {
  /** libp2p protobuf form of its key: stored, so that a restored child keeps its identity. Secret. */
  exportKey(): Uint8Array
}

/** The node's own actor: same key as the network host. */
export type RootActor = Actor & Startable

/** Bounds on handlers in flight, for a node with all its actors (§9.5). `allow` is asked when a message comes in, `acquire` before it runs. */
export interface LimiterOptions {
  publicAllow?: number
  publicAcquire?: number
  broadcastAllow?: number
  broadcastAcquire?: number
  /** Per topic, unless `topics` names another number. */
  topicDefault?: number
  topics?: Readonly<Record<string, number>>
  /** Other unicast messages, per peer. */
  peerAllow?: number
  peerAcquire?: number
}

/** Settings of a root actor. */
export interface RootActorOptions {
  limits?: LimiterOptions
}

/**
 * Forwards messages that a local program has made and signed itself (§10.2). It checks what it forwards and what comes
 * back: replies must be signed, addressed to the caller's handle and come from the host of the actor that signed.
 */
export interface Gateway {
  /** @throws ActorError `ACTOR_MESSAGE_INVALID`; NetworkError when it cannot be handed over. */
  send(envelope: Envelope, options?: AbortOptions): Promise<void>
  /**
   * Sends and waits for the reply of the asked actor until the message expires.
   * @throws ActorError `ACTOR_MESSAGE_INVALID`, `ACTOR_INBOX_TAKEN` for a second call with one inbox;
   *   TimeLimitError when nothing came; NetworkError.
   */
  invoke(envelope: Envelope, options?: AbortOptions): Promise<Envelope>
  /** Publishes, waits until the message expires, answers with what came (at most 1024 replies). */
  broadcast(envelope: Envelope, options?: AbortOptions): Promise<Envelope[]>
}

/** Where a message came from: the host at the other end of the stream, or the neighbour that passed a broadcast on. */
export interface Arrival {
  readonly envelope: Envelope
  readonly peer: PeerId
}

export type { ConsumedTokens } from '../lib/ucan/index.ts'
export type { Envelope, EnvelopeOptions } from './message/types.ts'
