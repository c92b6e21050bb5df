/** Verdict on a broadcast before it is passed on to other peers (identity-and-actors §9.2). */

import type { TopicVerdict } from '../../network/index.ts'
import type { PeerId } from '../../types/index.ts'
import type { MessageLimiter } from '../limiter.ts'
import { decodeEnvelope, isEmptyHandle, verifyEnvelope } from '../message/index.ts'
import { checkExpiry } from './bound.ts'

/**
 * `reject` costs the peer that passed it on some of its score, so it is kept for what an honest peer would never
 * pass on. Expiry depends on clocks and the limiter on our load: those are ignored without blame.
 */
export function judgeBroadcast(
  payload: Uint8Array,
  peer: PeerId,
  topic: string,
  facts: { readonly nowNs: bigint; readonly limiter: MessageLimiter }
): TopicVerdict {
  const decoded = decodeEnvelope(payload)
  if (!decoded.ok) return 'reject'
  const envelope = decoded.value
  if (!isEmptyHandle(envelope.to) || envelope.options.topic !== topic) return 'reject'
  if (!checkExpiry(envelope, facts.nowNs).ok || !facts.limiter.allows(envelope, peer)) return 'ignore'
  return verifyEnvelope(envelope, facts.nowNs).ok ? 'accept' : 'reject'
}
