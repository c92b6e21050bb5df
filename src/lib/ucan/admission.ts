/**
 * Whether a chain is anchored in something the context trusts (identity-and-actors §7.3): in the owner or a root by
 * any of its issuers, or through a require anchor, the side chain, within that anchor's limits.
 */

import type { Did, Refusal } from '../../types/index.ts'
import { anyImplies } from './capability.ts'
import { chainExpiry, issuersOf } from './chain.ts'
import { MAX_REASONS } from './constants.ts'
import { listed, nameOf, shortDid, timeOf, tokenRefusal } from './describe.ts'
import type { TrustAnchors } from './trust.ts'
import type { Token } from './types.ts'

/** `undefined` when the chain is admitted, else why not, with what each related require anchor lacks. */
export function checkAdmission(token: Token, trust: TrustAnchors): Refusal | undefined {
  const issuers = issuersOf(token)
  for (const issuer of issuers.keys()) if (trust.isTrustedFully(issuer)) return undefined
  if (sideChainAdmits(token, issuers, trust)) return undefined
  const reason =
    'is not anchored here: no issuer of its chain is the owner, a root, or named by a require anchor'
  const refused = tokenRefusal('UCAN_NOT_ANCHORED', token, 0, reason, {
    issuers: [...issuers.keys()],
    owner: trust.owner
  })
  const causes = explainSideChains(token, issuers, trust)
  return causes.length === 0 ? refused : { ...refused, causes }
}

/** Whether the chain has `did` among its issuers. */
export function isAnchoredIn(token: Token, did: Did): boolean {
  for (let link: Token | undefined = token; link !== undefined; link = link.chain)
    if (link.issuer === did) return true
  return false
}

function sideChainAdmits(token: Token, issuers: ReadonlyMap<Did, bigint>, trust: TrustAnchors): boolean {
  const [capability] = token.capabilities ?? []
  if (capability === undefined) return false // authorises nothing anyway
  for (const [issuer, position] of issuers) {
    for (const anchor of trust.requireIndex.find(issuer, token.audience, capability)) {
      if (sideChainFault(anchor, token, position, trust) === undefined) return true
    }
  }
  return false
}

/**
 * Why the require anchor does not cover the chain in which its subject issues at `position`, put into words only when
 * called: among many anchors most do not fit, and nobody asks why.
 */
function sideChainFault(
  anchor: Token,
  token: Token,
  position: bigint,
  trust: TrustAnchors
): (() => Refusal) | undefined {
  const say = (code: string, reason: () => string, asked: unknown, held: unknown) => (): Refusal =>
    tokenRefusal(code, anchor, 0, `(require anchor) ${reason()}`, { asked, held })
  const stale = trust.recheck(anchor)
  if (stale !== undefined) return () => stale
  const limit = chainExpiry(anchor)
  if (limit < token.expiresAtNs) {
    return say(
      'UCAN_ANCHOR_EXPIRY',
      () => `ends at ${timeOf(limit)}, before ${nameOf(token, 0)}`,
      String(token.expiresAtNs),
      String(limit)
    )
  }
  if (anchor.depth > 0n && position > anchor.depth) {
    return say(
      'UCAN_ANCHOR_DEPTH',
      () => `allows its subject ${anchor.depth} steps from the leaf, not ${position}`,
      String(position),
      String(anchor.depth)
    )
  }
  if (anchor.audience !== undefined && anchor.audience !== token.audience) {
    return say(
      'UCAN_ANCHOR_AUDIENCE',
      () => `is only for ${shortDid(anchor.audience)}`,
      token.audience ?? null,
      anchor.audience
    )
  }
  const held = anchor.capabilities ?? []
  const capability = token.capabilities?.find(name => !anyImplies(held, name))
  if (capability !== undefined) {
    return say(
      'UCAN_ANCHOR_CAPABILITY',
      () => `covers ${listed(held)}, not ${listed([capability])}`,
      capability,
      held
    )
  }
  const topic = token.topics.find(name => !anyImplies(anchor.topics, name))
  if (topic !== undefined) {
    return say(
      'UCAN_ANCHOR_TOPIC',
      () => `covers the topics ${listed(anchor.topics)}, not ${listed([topic])}`,
      topic,
      anchor.topics
    )
  }
  return undefined
}

function explainSideChains(token: Token, issuers: ReadonlyMap<Did, bigint>, trust: TrustAnchors): Refusal[] {
  const causes: Refusal[] = []
  for (const [issuer, position] of issuers) {
    for (const anchor of trust.requireIndex.some(issuer, MAX_REASONS - causes.length)) {
      const fault = sideChainFault(anchor, token, position, trust)
      if (fault !== undefined) causes.push(fault())
    }
  }
  return causes
}
