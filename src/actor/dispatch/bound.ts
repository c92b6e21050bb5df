/** Step 2: what can be told without cryptography, so that a flood costs little (identity-and-actors §9.1). */

import type { Handle, PeerId, Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'
import { MAX_EXPIRY_AHEAD_NS } from '../constants.ts'
import { isEmptyHandle } from '../message/index.ts'
import type { Envelope } from '../types.ts'

/** Unicast: for us, from the host it names, and its time is neither over nor absurdly far. */
export function checkUnicast(envelope: Envelope, peer: PeerId, self: Handle, nowNs: bigint): Result<void> {
  const { host } = envelope.from.address
  if (envelope.to.id !== self.id || envelope.options.topic !== '') {
    return refuse(refusal('ACTOR_NOT_ADDRESSED', 'message is not for this actor'))
  }
  if (host !== peer)
    return refuse(refusal('ACTOR_HOST_FORGED', `message names host '${host}' but came from '${peer}'`))
  return checkExpiry(envelope, nowNs)
}

/** Broadcast: for everyone, and in time. Which peer passed it on says nothing about who sent it. */
export function checkBroadcast(envelope: Envelope, nowNs: bigint): Result<void> {
  if (!isEmptyHandle(envelope.to) || envelope.options.topic === '') {
    return refuse(refusal('ACTOR_NOT_ADDRESSED', 'message on a topic is not a broadcast'))
  }
  return checkExpiry(envelope, nowNs)
}

/** Expired messages are refused, and so are those that would live longer than a year. */
export function checkExpiry(envelope: Envelope, nowNs: bigint): Result<void> {
  const { expiresAtNs } = envelope.options
  if (nowNs > expiresAtNs) {
    return refuse(
      refusal('ACTOR_MESSAGE_EXPIRED', `message expired at ${expiresAtNs} ns, now is ${nowNs} ns`)
    )
  }
  if (expiresAtNs > nowNs + MAX_EXPIRY_AHEAD_NS) {
    return refuse(
      refusal('ACTOR_EXPIRY_TOO_FAR', `message expires at ${expiresAtNs} ns, more than 366 days ahead`)
    )
  }
  return ok(undefined)
}
