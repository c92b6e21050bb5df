/** Step 4: may this sender do that here (identity-and-actors §9.3)? And if not: does it deserve to hear why? */

import { didOfActorId } from '../../lib/did/index.ts'
import type { CapabilityContext, ConsumedTokens } from '../../lib/ucan/index.ts'
import type { ActorId, Refusal, Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'
import type { Envelope } from '../types.ts'

export interface Requirement {
  /** Any one of these suffices. */
  readonly capabilities: readonly string[]
  /** Topic the behaviour listens on; without one it takes no broadcasts. */
  readonly topic: string | undefined
}

export interface Verdict {
  readonly result: Result<void>
  /** True when the sender is someone to whom a refusal is explained; strangers get silence. */
  readonly isKnown: boolean
  /** Ends the life of the message's tokens. Must be called when the message is done with, authorised or not. */
  readonly tokens: ConsumedTokens | undefined
}

type Authorizer = Pick<
  CapabilityContext,
  'owner' | 'anchors' | 'consume' | 'authorizeInvocation' | 'authorizeBroadcast'
>

/** Expects a message whose signature was verified. */
export function authorize(
  context: Authorizer,
  envelope: Envelope,
  self: ActorId,
  need: Requirement
): Verdict {
  const { from, options } = envelope
  if (from.id === '' || from.did === '')
    return stranger(refusal('ACTOR_SENDER_INCOMPLETE', 'message names no sender'))
  const isBroadcast = options.topic !== ''
  if (isBroadcast && options.topic !== need.topic) {
    return stranger(refusal('ACTOR_TOPIC_MISMATCH', `behaviour does not listen on topic '${options.topic}'`))
  }
  if (!isBroadcast && from.id === self) return { result: ok(undefined), isKnown: true, tokens: undefined }

  const subject = didOfActorId(from.id)
  const isProvenAnchor =
    subject === from.did && (from.did === context.owner || context.anchors.roots.includes(from.did))
  const tokens = context.consume(from.did, envelope.capabilities)
  if (!tokens.ok) return { result: refuse(tokens.error), isKnown: isProvenAnchor, tokens: undefined }
  const question = { origin: from.did, subject, capabilities: need.capabilities }
  const result = isBroadcast
    ? context.authorizeBroadcast({ ...question, topic: options.topic }, tokens.value)
    : context.authorizeInvocation({ ...question, audience: didOfActorId(self) }, tokens.value)
  const isKnown = result.ok || isProvenAnchor || result.error.details?.['known'] === true
  return { result, isKnown, tokens: tokens.value }
}

function stranger(reason: Refusal): Verdict {
  return { result: refuse(reason), isKnown: false, tokens: undefined }
}
