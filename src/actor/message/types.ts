/** The message as it travels (identity-and-actors §8). Kept apart from the rest so that it needs no schema library. */

import type { Handle } from '../../types/index.ts'

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

/** Options of a message, member `opt` on the wire. There are no others (§8.2). */
export interface EnvelopeOptions {
  /** Unix nanoseconds. */
  readonly expiresAtNs: bigint
  /** Behaviour the answer is sent to; empty when no answer is wanted. */
  readonly replyTo: string
  /** Topic of a broadcast; empty otherwise. */
  readonly topic: string
}

/** An envelope before it is signed. */
export type UnsignedEnvelope = Omit<Envelope, 'signature'>
