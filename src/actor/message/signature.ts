/** The signature of a message: made with the actor's own key, not with the key of its DID (identity-and-actors §8.3). */

import { type PrivateKey, publicKeyOfActorId } from '../../lib/crypto/index.ts'
import type { Result } from '../../types/index.ts'
import { ok, refusal, refuse, utf8ToBytes } from '../../utils/index.ts'
import { unsignedText } from './codec.ts'
import type { Envelope, UnsignedEnvelope } from './types.ts'

const PREFIX = 'dms:msg:'

/** The bytes a message's signature covers. */
export function signingBytes(envelope: UnsignedEnvelope): Uint8Array {
  return utf8ToBytes(PREFIX + unsignedText(envelope))
}

/** Signs with the key of `from.id`; a signature that is there already is replaced. */
export function signEnvelope(unsigned: UnsignedEnvelope, privateKey: PrivateKey): Envelope {
  return { ...unsigned, signature: privateKey.sign(signingBytes(unsigned)) }
}

/**
 * Checks expiry, then signature (§9.3). Refusals: `ACTOR_MESSAGE_EXPIRED`, `ACTOR_SIGNATURE_INVALID`. A message is
 * still good in the very nanosecond of its expiry.
 */
export function verifyEnvelope(envelope: Envelope, nowNs: bigint): Result<void> {
  if (nowNs > envelope.options.expiresAtNs) {
    return refuse(
      refusal(
        'ACTOR_MESSAGE_EXPIRED',
        `message expired at ${envelope.options.expiresAtNs} ns, now is ${nowNs} ns`
      )
    )
  }
  if (envelope.from.id === '') return refuse(refusal('ACTOR_SIGNATURE_INVALID', 'message names no sender'))
  const key = publicKeyOfActorId(envelope.from.id)
  if (!key.verify(signingBytes(envelope), envelope.signature)) {
    return refuse(
      refusal('ACTOR_SIGNATURE_INVALID', `message is not signed by its sender '${envelope.from.id}'`)
    )
  }
  return ok(undefined)
}
