/** Step 6: the handler runs, bounded by the message's expiry and the behaviour's own limit. */

import type { Token } from '../../lib/ucan/index.ts'
import type { Clock } from '../../types/index.ts'
import { deadline, NuError, raceSignal, refusal } from '../../utils/index.ts'
import type { BoundBehavior, Problem } from '../behaviors.ts'
import { encodePayload, MAX_PAYLOAD_BYTES, refusalReply } from '../message/index.ts'
import type { Envelope } from '../types.ts'

/** What a behaviour made of a message. */
export interface Outcome {
  /** JSON text of the reply; `undefined`: nothing to send. */
  readonly reply: Uint8Array | undefined
  readonly problem?: Problem
}

interface RunDeps {
  readonly clock: Clock
  /** Fires when the actor stops. */
  readonly signal: AbortSignal
  /** What let the message in. */
  readonly proof?: Token | undefined
}

const NS_PER_MS = 1_000_000n

/**
 * Reads the payload and runs the handler. Never throws: a problem comes back beside the reply that tells of it.
 * After the time limit the handler no longer counts, even if it does not heed its signal.
 */
export async function runBehavior(
  behavior: BoundBehavior,
  envelope: Envelope,
  deps: RunDeps
): Promise<Outcome> {
  try {
    const run = behavior.prepare(envelope.message)
    if (!run.ok) return failed(behavior, envelope, { message: run.error.message, refusal: run.error })
    const { expiresAtNs, topic } = envelope.options
    const leftMs = Number((expiresAtNs - deps.clock.nowNs()) / NS_PER_MS)
    const limitMs = Math.min(leftMs, behavior.timeLimitMs ?? leftMs)
    using limit = deadline(deps.clock, limitMs, `behaviour '${behavior.path}'`, deps.signal)
    const { from } = envelope
    const context = {
      from,
      behavior: behavior.path,
      expiresAtNs,
      isBroadcast: topic !== '',
      proof: deps.proof,
      signal: limit.signal
    }
    return { reply: encodeReply(await raceSignal(run.value(context), limit.signal)) }
  } catch (error) {
    return failed(behavior, envelope, { message: 'handler failed', error })
  }
}

function failed(behavior: BoundBehavior, envelope: Envelope, problem: Problem): Outcome {
  if (behavior.onError === undefined) return { reply: explained(envelope, problem), problem }
  try {
    return { reply: encodeReply(behavior.onError(problem)), problem }
  } catch (error) {
    return { reply: undefined, problem: { message: 'error reply failed', error } }
  }
}

class ReplyTooLargeError extends NuError {
  override readonly name = 'ReplyTooLargeError'
  readonly code = 'ACTOR_REPLY_TOO_LARGE'
}

function encodeReply(reply: unknown): Uint8Array | undefined {
  if (reply === undefined) return undefined
  const encoded = encodePayload(reply)
  if (encoded.length <= MAX_PAYLOAD_BYTES) return encoded
  throw new ReplyTooLargeError(`reply of ${encoded.length} bytes is over the limit of ${MAX_PAYLOAD_BYTES}`)
}

/** To a broadcast only a behaviour's own reply is sent: a thousand explanations at once help nobody. */
function explained(envelope: Envelope, problem: Problem): Uint8Array | undefined {
  if (envelope.options.topic !== '') return undefined
  return encodePayload(refusalReply(problem.refusal ?? handlerFailure(problem.error)))
}

function handlerFailure(error: unknown) {
  const causes = error instanceof NuError ? [refusal(error.code, error.message)] : []
  return refusal('ACTOR_HANDLER_FAILED', 'the request was let in but could not be carried out', { causes })
}
