/** Verdict on a broadcast before it is passed on to other peers (identity-and-actors §9.2). */

import type { TopicVerdict } from '../../network/index.ts'
import type { PeerId } from '../../types/index.ts'
import type { MessageLimiter } from '../limiter.ts'
import { decodeEnvelope, encodeEnvelope, isEmptyHandle, verifyEnvelope } from '../message/index.ts'
import type { Envelope } from '../types.ts'
import { checkExpiry } from './bound.ts'

/**
 * `reject` costs the peer that passed it on some of its score, so it is kept for what an honest peer would never
 * pass on. Expiry depends on clocks and the limiter on our load: those are ignored without blame. So is what another
 * reader may take for a good message (existing nodes match names without regard to case, merge members that come twice,
 * know no bound on their number): with such texts a stranger could have us turn away the honest peers that pass them on.
 */
export function judgeBroadcast(
  payload: Uint8Array,
  peer: PeerId,
  topic: string,
  facts: { readonly nowNs: bigint; readonly limiter: MessageLimiter }
): TopicVerdict {
  const decoded = decodeEnvelope(payload)
  if (!decoded.ok) return isJson(payload) ? 'ignore' : 'reject'
  const envelope = decoded.value
  if (!isEmptyHandle(envelope.to) || envelope.options.topic !== topic) return blame(envelope, payload)
  if (!checkExpiry(envelope, facts.nowNs).ok || !facts.limiter.allows(envelope, peer)) return 'ignore'
  return verifyEnvelope(envelope, facts.nowNs).ok ? 'accept' : blame(envelope, payload)
}

/** Text exactly as it is written has one meaning for every reader. */
function blame(envelope: Envelope, payload: Uint8Array): TopicVerdict {
  return Buffer.compare(encodeEnvelope(envelope), payload) === 0 ? 'reject' : 'ignore'
}

/** Whether a reader that replaces what is not UTF-8, as Go's does, finds JSON. */
function isJson(payload: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString())
    return true
  } catch {
    return false
  }
}
