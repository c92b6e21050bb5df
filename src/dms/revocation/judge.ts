/**
 * Which revocations of others a node takes in. A revocation proves itself, since only the issuer of a token can sign
 * it; but anybody can make a million keys and revoke what they never gave. So beyond a good signature it takes one of
 * two things: the issuer is named by this node's own anchors, or the revoked token is shown with its chain, and that
 * chain leads to someone so named. What comes by the second way is charged to every member of the chain, so nobody
 * can fill the store by making up members below itself.
 */

import type { CapabilityContext, Token } from '../../lib/ucan/index.ts'
import { chainOf, formatToken, revocationKey } from '../../lib/ucan/index.ts'
import type { Did, Refusal, Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'
import { MAX_PROOF_LENGTH, MAX_REVOCATION_LENGTH } from './constants.ts'
import type { Offer } from './types.ts'

/** An offer that was found good. */
export interface Judged {
  readonly key: string
  readonly revocation: Token
  readonly proof: Token | undefined
  /** Members it counts against; nobody when this node's anchors name the issuer. */
  readonly charged: readonly Did[]
}

/** The DIDs whose word counts here: owner, roots, whom require anchors let in, and whom our own powers come from. */
export function namedByAnchors({ owner, anchors }: Pick<CapabilityContext, 'owner' | 'anchors'>): Set<Did> {
  const named = new Set<Did>([owner, ...anchors.roots])
  for (const anchor of anchors.require) {
    named.add(anchor.subject)
    for (const link of chainOf(anchor)) named.add(link.issuer)
  }
  for (const anchor of anchors.provide) for (const link of chainOf(anchor)) named.add(link.issuer)
  return named
}

/** Whether a token is a revocation and nothing more (identity-and-actors §6.5), and its issuer signed it. */
export function checkRevocation(
  token: Token,
  { anchors }: Pick<CapabilityContext, 'anchors'>
): Refusal | undefined {
  const isBare =
    token.action === 'revoke' &&
    token.chain === undefined &&
    token.audience === undefined &&
    token.topics.length === 0 &&
    token.depth === 0n &&
    token.nonce !== null
  if (!isBare) return refusal('REVOCATION_FORM', 'a token is not a plain revocation')
  if (formatToken(token).length > MAX_REVOCATION_LENGTH) {
    return refusal('REVOCATION_FORM', `a revocation is longer than ${MAX_REVOCATION_LENGTH} characters`)
  }
  const verdict = anchors.verify(token)
  return verdict.ok ? undefined : verdict.error
}

/** Judges a revocation that another node handed over. `named` comes from `namedByAnchors`. */
export function judgeOffer(
  { revocation, proof }: Offer,
  context: Pick<CapabilityContext, 'anchors'>,
  named: ReadonlySet<Did>
): Result<Judged> {
  const fault = checkRevocation(revocation, context)
  if (fault !== undefined) return refuse(fault)
  const key = revocationKey(revocation)
  if (named.has(revocation.issuer)) return ok({ key, revocation, proof: usable(proof, key), charged: [] })
  if (proof === undefined) {
    return refuse(
      refusal('REVOCATION_UNRELATED', `nothing shows that '${revocation.issuer}' ever had a say here`, {
        details: { issuer: revocation.issuer }
      })
    )
  }
  const unproven = checkProof(proof, key, context, named)
  if (unproven !== undefined) return refuse(unproven)
  const members = new Set(chainOf(proof).map(link => link.issuer))
  return ok({ key, revocation, proof, charged: [...members].filter(did => !named.has(did)) })
}

/** A proof is kept for others, who may need it, when it is about this revocation and small enough. */
export function usable(proof: Token | undefined, key: string): Token | undefined {
  const fits =
    proof !== undefined && revocationKey(proof) === key && formatToken(proof).length <= MAX_PROOF_LENGTH
  return fits ? proof : undefined
}

function checkProof(
  proof: Token,
  key: string,
  { anchors }: Pick<CapabilityContext, 'anchors'>,
  named: ReadonlySet<Did>
): Refusal | undefined {
  if (usable(proof, key) === undefined)
    return refusal('REVOCATION_UNRELATED', 'the proof is about another token, or too long')
  if (!chainOf(proof).some(link => named.has(link.issuer)))
    return refusal('REVOCATION_UNRELATED', 'the chain of the revoked token leads to nobody trusted here')
  // A chain with a link revoked further up admits nobody, with or without this revocation.
  const verdict = anchors.verify(proof)
  return verdict.ok ? undefined : verdict.error
}
