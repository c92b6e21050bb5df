/** Outgoing messages of one actor: nonce, tokens, signature, and over to the network (identity-and-actors §8.6, §8.7). */

import type { PrivateKey } from '../lib/crypto/index.ts'
import { EMPTY_HANDLE } from '../lib/did/index.ts'
import type { ConsumedTokens } from '../lib/ucan/index.ts'
import type { Handle } from '../types/index.ts'
import { ActorError, buildMessage, encodeEnvelope, messageProtocol } from './message/index.ts'
import type { ActorSystem } from './system.ts'

export interface UnicastDraft {
  readonly to: Handle
  readonly behavior: string
  readonly payload?: unknown
  /** The payload as JSON text already, instead of `payload`. */
  readonly encoded?: Uint8Array
  readonly expiresAtNs: bigint
  readonly replyTo?: string
  /** Tokens of the message that is answered. */
  readonly tokens?: ConsumedTokens | undefined
}

export interface BroadcastDraft {
  readonly topic: string
  readonly behavior: string
  readonly payload: unknown
  readonly expiresAtNs: bigint
  readonly replyTo: string
}

export class Outbox {
  readonly #system: ActorSystem
  readonly #from: Handle
  readonly #privateKey: PrivateKey
  #nonce: bigint

  constructor(system: ActorSystem, from: Handle, privateKey: PrivateKey) {
    this.#system = system
    this.#from = from
    this.#privateKey = privateKey
    // The clock may tick in milliseconds: the random part keeps a quick restart from using a nonce twice.
    this.#nonce = system.clock.nowNs() + BigInt(system.random.below(1_000_000))
  }

  /** Start value is the wall clock, then one more per use (§8.4); also numbers reply behaviours. */
  nextNonce(): bigint {
    return this.#nonce++
  }

  /** @throws ActorError `ACTOR_MESSAGE_INVALID`, NetworkError, the signal's reason, and what the signer throws. */
  async send(draft: UnicastDraft, signal: AbortSignal): Promise<void> {
    const { host, inbox } = draft.to.address
    if (host === '' || inbox === '')
      throw new ActorError('ACTOR_MESSAGE_INVALID', 'destination has no host or no inbox')
    const envelope = await this.#build(draft)
    signal.throwIfAborted()
    await this.#system.network.send(host, messageProtocol(inbox), encodeEnvelope(envelope), { signal })
  }

  /** @throws NetworkError, the signal's reason, and what the signer throws. */
  async publish(draft: BroadcastDraft, signal: AbortSignal): Promise<void> {
    const envelope = await this.#build({ ...draft, to: EMPTY_HANDLE })
    signal.throwIfAborted()
    await this.#system.network.publish(draft.topic, encodeEnvelope(envelope))
  }

  #build(draft: UnicastDraft & { readonly topic?: string }) {
    const { context } = this.#system
    return buildMessage({
      ...draft,
      privateKey: this.#privateKey,
      from: this.#from,
      nonce: this.nextNonce(),
      context
    })
  }
}
