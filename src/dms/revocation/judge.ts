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
  /** Characters of the revocation. */
  readonly length: number
  readonly proof: Token | undefined
  /** Whom it counts against; nobody when the owner or a root issued it, or an administrator brought it. */
  readonly charged: readonly Did[]
  /** Whether it counts by its proof, not by a name in this node's anchors. */
  readonly isProven: boolean
}

/** Whose word counts at a node. */
export interface Named {
  /** Owner and roots: trusted with everything. */
  readonly fully: ReadonlySet<Did>
  /** These, whom require anchors let in, and whom our own powers come from. */
  readonly all: ReadonlySet<Did>
}

/**
 * The DIDs whose word counts here. `passing` are require anchors that come and go with deployments: whom they let in for
 * a while is a member like any other, or members with a few deployments could fill the store.
 */
export function namedByAnchors(
  { owner, anchors }: Pick<CapabilityContext, 'owner' | 'anchors'>,
  passing: readonly Token[] = []
): Named {
  const fully = new Set<Did>([owner, ...anchors.roots])
  const named = new Set<Did>(fully)
  const isPassing = new Set(passing)
  for (const anchor of anchors.require) {
    if (isPassing.has(anchor)) continue
    named.add(anchor.subject)
    for (const link of chainOf(anchor)) named.add(link.issuer)
  }
  for (const anchor of anchors.provide) for (const link of chainOf(anchor)) named.add(link.issuer)
  return { fully, all: named }
}

/** Whether a token is a revocation and nothing more (identity-and-actors §6.5), and its issuer signed it. */
export function checkRevocation(
  token: Token,
  context: Pick<CapabilityContext, 'anchors'>
): Refusal | undefined {
  const fault = checkForm(token)
  if (fault !== undefined) return fault
  const verdict = context.anchors.verify(token)
  return verdict.ok ? undefined : verdict.error
}

function checkForm(token: Token): Refusal | undefined {
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
  return undefined
}

/**
 * Whether a revocation that another node handed over is of concern here, by what it says: nothing is verified yet, so
 * what is of none costs no signature. `named` comes from `namedByAnchors`.
 */
export function sortOffer({ revocation, proof }: Offer, named: Named): Result<Judged> {
  const fault = checkForm(revocation)
  if (fault !== undefined) return refuse(fault)
  const key = revocationKey(revocation)
  const { length } = formatToken(revocation)
  if (named.all.has(revocation.issuer)) {
    const charged = named.fully.has(revocation.issuer) ? [] : [revocation.issuer]
    return ok({ key, revocation, length, proof: usable(proof, key), charged, isProven: false })
  }
  if (proof === undefined) {
    return refuse(
      refusal('REVOCATION_UNRELATED', `nothing shows that '${revocation.issuer}' ever had a say here`, {
        details: { issuer: revocation.issuer }
      })
    )
  }
  if (usable(proof, key) === undefined)
    return refuse(refusal('REVOCATION_UNRELATED', 'the proof is about another token, or too long'))
  const members = new Set(chainOf(proof).map(link => link.issuer))
  const charged = [...members].filter(did => !named.all.has(did))
  if (charged.length < members.size) return ok({ key, revocation, length, proof, charged, isProven: true })
  return refuse(
    refusal('REVOCATION_UNRELATED', 'the chain of the revoked token leads to nobody trusted here')
  )
}

/** Whether the signatures are good: of the revocation, and of the proof where it counts by that. */
export function verifyJudged(
  { revocation, proof, isProven }: Judged,
  { anchors }: Pick<CapabilityContext, 'anchors'>
): Refusal | undefined {
  const verdict = anchors.verify(revocation)
  if (!verdict.ok) return verdict.error
  if (!isProven || proof === undefined) return undefined
  // A chain with a link revoked further up admits nobody, with or without this revocation.
  const proven = anchors.verify(proof)
  return proven.ok ? undefined : proven.error
}

/** A revocation that an administrator vouches for: it counts against nobody. */
export function vouchedFor({ revocation, proof }: Offer): Judged {
  const key = revocationKey(revocation)
  const { length } = formatToken(revocation)
  return { key, revocation, length, proof: usable(proof, key), charged: [], isProven: false }
}

/** A proof is kept for others, who may need it, when it is about this revocation and small enough. */
function usable(proof: Token | undefined, key: string): Token | undefined {
  const fits =
    proof !== undefined && revocationKey(proof) === key && formatToken(proof).length <= MAX_PROOF_LENGTH
  return fits ? proof : undefined
}
