/** NuActor (identity-and-actors §8 to §10): messages, behaviours and the actors that exchange them. */

import type { z } from 'zod'
import type { ConsumedTokens } from '../lib/ucan/index.ts'
import type { AbortOptions, Handle, Refusal, Result } from '../types/index.ts'

/** A message between actors (§8.2). `message` and `capabilities` are JSON texts as bytes. */
export interface Envelope {
  readonly to: Handle
  readonly behavior: string
  readonly from: Handle
  readonly nonce: bigint
  readonly options: EnvelopeOptions
  readonly message: Uint8Array
  readonly capabilities: Uint8Array
  readonly signature: Uint8Array
}

export interface EnvelopeOptions {
  /** Unix nanoseconds. */
  readonly expiresAtNs: bigint
  /** Behaviour the answer is sent to; empty when no answer is wanted. */
  readonly replyTo: string
  /** Topic of a broadcast; empty otherwise. */
  readonly topic: string
}

/** What a handler sees of a message that was admitted. */
export interface MessageContext<Request> {
  readonly from: Handle
  readonly behavior: string
  readonly payload: Request
  readonly expiresAtNs: bigint
  /** True for a message from the same actor system: local calls are trusted like their caller. */
  readonly isBroadcast: boolean
  /** Fires at the message's expiry and when the actor stops. */
  readonly signal: AbortSignal
}

/**
 * Declaration of a behaviour. The capability is its path unless `capabilities` says otherwise. A handler's
 * return value is sent as the reply; `undefined` sends none. An unreadable payload is answered with `onInvalid`.
 */
export interface Behavior<Request = unknown, Reply = unknown> {
  readonly path: string
  readonly request: z.ZodType<Request>
  /** Any one of these lets a message in. Default: `[path]`. */
  readonly capabilities?: readonly string[]
  /** Takes broadcasts on this topic as well as unicast messages. */
  readonly topic?: string
  /** Handler time limit; the message's own expiry holds as well. */
  readonly timeLimitMs?: number
  readonly handle: (context: MessageContext<Request>) => Promise<Reply | undefined> | Reply | undefined
  /** Reply to a payload that does not fit, or to a handler that threw. Default: no reply, a log line. */
  readonly onError?: (problem: { readonly message: string; readonly refusal?: Refusal; readonly error?: unknown }) => Reply
}

/** A reply as it came back. */
export interface Reply {
  readonly from: Handle
  readonly payload: unknown
}

export interface InvokeOptions extends AbortOptions {
  /** Message expiry from now. Default 30 s (§8.4). The wait for the reply ends with it. */
  timeoutMs?: number
  /** Name of the reply behaviour; default `/dms/actor/replyto/<nonce>`. Static grants may need a fixed one. */
  replyTo?: string
}

/** The actor as the rest of the node uses it. */
export interface Actor extends AsyncDisposable {
  readonly handle: Handle

  /** Registers a behaviour, replacing one of the same path; returns the undo. */
  addBehavior<Request, Reply>(behavior: Behavior<Request, Reply>): () => void

  /**
   * Sends and waits for the answer. Silence until expiry is a refusal with code `ACTOR_NO_REPLY`; an explained
   * refusal of a peer that knows us comes back as its tree; a peer that cannot be reached as `ACTOR_UNREACHABLE`.
   */
  invoke(to: Handle, behavior: string, payload: unknown, options?: InvokeOptions): Promise<Result<Reply>>

  /** Sends without asking for an answer. */
  send(to: Handle, behavior: string, payload: unknown, options?: InvokeOptions): Promise<Result<void>>

  /**
   * Publishes on a topic and yields replies as they come until expiry, abort, or the consumer leaves the loop.
   * Replies of actors that are not authorised to reply are dropped.
   */
  broadcast(topic: string, behavior: string, payload: unknown, options?: InvokeOptions): AsyncIterable<Reply>

  /** A child with its own key and inbox, sharing network, limits and capability context (§9.6). */
  createChild(options: { inbox: string; privateKey?: Uint8Array }): Promise<ChildActor>

  stop(): Promise<void>
}

export interface ChildActor extends Actor {
  /** libp2p protobuf form of its key: stored, so that a restored child keeps its identity. Secret. */
  exportKey(): Uint8Array
}

export type { ConsumedTokens }
