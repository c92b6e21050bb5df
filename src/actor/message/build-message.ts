/** Making a message that a receiver will take: tokens first, then the signature over everything (identity-and-actors §8.6, §8.7). */

import type { PrivateKey } from '../../lib/crypto/index.ts'
import { didOfActorId } from '../../lib/did/index.ts'
import type { CapabilityContext, ConsumedTokens } from '../../lib/ucan/index.ts'
import type { Handle } from '../../types/index.ts'
import { ActorError } from '../errors.ts'
import { isEmptyHandle } from './handle.ts'
import { encodePayload } from './payload.ts'
import { signEnvelope } from './signature.ts'
import type { Envelope } from './types.ts'

/** Everything a message says. With `topic` it is a broadcast and `to` must be the empty handle. */
export interface MessageRequest {
  /** Key of `from.id`. */
  readonly privateKey: PrivateKey
  readonly from: Handle
  readonly to: Handle
  readonly behavior: string
  /** JSON-safe value; `undefined` for none. */
  readonly payload?: unknown
  /** The payload as JSON text already, instead of `payload`. */
  readonly encoded?: Uint8Array | undefined
  /** Unix nanoseconds. */
  readonly expiresAtNs: bigint
  /** Behaviour the answer goes to; the receiver gets the right to call it. */
  readonly replyTo?: string | undefined
  readonly topic?: string | undefined
  readonly nonce: bigint
  /** Signs the tokens. */
  readonly context: Pick<CapabilityContext, 'provideInvocation' | 'provideBroadcast'>
  /** Tokens of the message this one answers. */
  readonly tokens?: ConsumedTokens | undefined
}

/**
 * A complete, signed message. May take as long as the owner of a hardware wallet needs to press a button.
 * @throws ActorError `ACTOR_MESSAGE_INVALID` when sender or destination are incomplete.
 */
export async function buildMessage(request: MessageRequest): Promise<Envelope> {
  const { privateKey, from, to, behavior, expiresAtNs, nonce } = request
  const options = { expiresAtNs, replyTo: request.replyTo ?? '', topic: request.topic ?? '' }
  const message = request.encoded ?? encodePayload(request.payload)
  const capabilities =
    options.topic === '' ? await invocationTokens(request) : await broadcastTokens(request, options.topic)
  return signEnvelope({ to, behavior, from, nonce, options, message, capabilities }, privateKey)
}

async function invocationTokens(request: MessageRequest): Promise<Uint8Array> {
  const { from, to } = request
  if (from.id === '' || to.id === '' || to.did === '')
    throw new ActorError('ACTOR_MESSAGE_INVALID', 'message needs a sender and a destination')
  if (from.id === to.id) return new Uint8Array()
  return await request.context.provideInvocation({
    target: to.did,
    subject: didOfActorId(from.id),
    audience: didOfActorId(to.id),
    expiresAtNs: request.expiresAtNs,
    invoke: [request.behavior],
    delegate: request.replyTo ? [request.replyTo] : [],
    tokens: request.tokens
  })
}

async function broadcastTokens(request: MessageRequest, topic: string): Promise<Uint8Array> {
  if (request.from.id === '' || !isEmptyHandle(request.to)) {
    throw new ActorError('ACTOR_MESSAGE_INVALID', 'broadcast needs a sender and goes to the empty handle')
  }
  return await request.context.provideBroadcast({
    subject: didOfActorId(request.from.id),
    topic,
    expiresAtNs: request.expiresAtNs,
    broadcast: [request.behavior]
  })
}
