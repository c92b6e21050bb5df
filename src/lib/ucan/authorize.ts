/** Whether the tokens of a message let its sender do what it asks (identity-and-actors §6.4, §7.5). */

import type { Did, Refusal, Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'
import { checkAdmission } from './admission.ts'
import { anyImplies } from './capability.ts'
import { issuersOf } from './chain.ts'
import { MAX_REASONS } from './constants.ts'
import { listed, quoted, shortDid, tokenRefusal } from './describe.ts'
import { HeldTokens } from './held-tokens.ts'
import type { TrustAnchors } from './trust.ts'
import type { BroadcastQuestion, Capability, ConsumedTokens, InvocationQuestion, Token } from './types.ts'

/** Finds a token that allows the invocation, or says for each token why it does not. */
export function authorizeInvocation(
  question: InvocationQuestion,
  consumed: ConsumedTokens,
  trust: TrustAnchors
): Result<void> {
  const asked = `invoke ${listed(question.capabilities)}`
  return decide(asked, question, consumed, trust, token => invocationFault(token, question))
}

/** The same for a broadcast and its topic. */
export function authorizeBroadcast(
  question: BroadcastQuestion,
  consumed: ConsumedTokens,
  trust: TrustAnchors
): Result<void> {
  const asked = `broadcast ${listed(question.capabilities)} in the topic ${listed([question.topic])}`
  return decide(asked, question, consumed, trust, token => broadcastFault(token, question))
}

function decide(
  asked: string,
  question: InvocationQuestion | BroadcastQuestion,
  consumed: ConsumedTokens,
  trust: TrustAnchors,
  fault: (token: Token) => Refusal | undefined
): Result<void> {
  const { tokens, revoked, reasons } = HeldTokens.read(consumed, trust)
  const causes: Refusal[] = []
  let isKnown = false
  for (const token of tokens) {
    const reason = fault(token) ?? trust.recheck(token) ?? checkAdmission(token, trust)
    if (reason === undefined) {
      HeldTokens.admit(consumed, token)
      return ok(undefined)
    }
    isKnown ||= introduces(token, question, trust)
    causes.push(reason)
  }
  const details = { ...question, owner: trust.owner }
  const message = `${shortDid(question.origin)} is not authorised to ${asked}`
  const former = revoked.filter(({ token }) => token.subject === question.subject)
  if (!isKnown && former.length > 0) {
    // It hears what became of its own token, and nothing about what else is trusted here.
    const told = { details: { ...details, known: true }, causes: former.map(({ reason }) => reason) }
    return refuse(refusal('UCAN_NOT_AUTHORIZED', message, told))
  }
  causes.push(...reasons)
  if (causes.length === 0) causes.push(refusal('UCAN_NO_TOKENS', 'the message carries no tokens'))
  return refuse(
    refusal('UCAN_NOT_AUTHORIZED', message, {
      details: isKnown ? { ...details, known: true } : details,
      causes: causes.slice(0, MAX_REASONS)
    })
  )
}

/**
 * Whether a verified token shows that its bearer belongs to a network this context takes part in: it was made for this
 * very sender, and an issuer of its chain is trusted here, if not for what was asked. Such a caller may hear why it
 * is refused.
 */
function introduces(token: Token, question: { readonly subject: Did }, trust: TrustAnchors): boolean {
  if (token.subject !== question.subject || trust.recheck(token) !== undefined) return false
  for (const issuer of issuersOf(token).keys()) {
    if (trust.isTrustedFully(issuer)) return true
    if (trust.requireIndex.some(issuer, 1).some(anchor => trust.recheck(anchor) === undefined)) return true
  }
  return false
}

function invocationFault(token: Token, question: InvocationQuestion): Refusal | undefined {
  const fault = exerciseFault(token, 'invoke', question)
  if (fault !== undefined) return fault
  if (token.audience === undefined || token.audience === question.audience) return undefined
  const reason = `may be used on ${shortDid(token.audience)} only`
  return tokenRefusal('UCAN_WRONG_AUDIENCE', token, 0, reason, {
    asked: question.audience,
    held: token.audience
  })
}

function broadcastFault(token: Token, question: BroadcastQuestion): Refusal | undefined {
  const fault = exerciseFault(token, 'broadcast', question)
  if (fault !== undefined) return fault
  if (token.audience !== undefined) {
    const reason = `is for ${shortDid(token.audience)}; a broadcast must be for anyone`
    return tokenRefusal('UCAN_WRONG_AUDIENCE', token, 0, reason, { asked: null, held: token.audience })
  }
  if (anyImplies(token.topics, question.topic)) return undefined
  const reason = `covers the topics ${listed(token.topics)}, not ${listed([question.topic])}`
  return tokenRefusal('UCAN_WRONG_TOPIC', token, 0, reason, { asked: question.topic, held: token.topics })
}

function exerciseFault(
  token: Token,
  action: 'invoke' | 'broadcast',
  question: Pick<InvocationQuestion, 'subject' | 'capabilities'>
): Refusal | undefined {
  if (token.action !== action) {
    const reason = `is for ${quoted(token.action)}, not for '${action}'`
    return tokenRefusal('UCAN_WRONG_ACTION', token, 0, reason, { asked: action, held: token.action })
  }
  if (token.subject !== question.subject) {
    const reason = `may be used by ${shortDid(token.subject)} only, not by ${shortDid(question.subject)}`
    return tokenRefusal('UCAN_WRONG_SUBJECT', token, 0, reason, {
      asked: question.subject,
      held: token.subject
    })
  }
  const held: readonly Capability[] = token.capabilities ?? []
  if (question.capabilities.some(name => anyImplies(held, name))) return undefined
  const reason = `covers ${listed(held)}, not ${listed(question.capabilities)}`
  return tokenRefusal('UCAN_WRONG_CAPABILITY', token, 0, reason, { asked: question.capabilities, held })
}
