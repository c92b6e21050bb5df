/**
 * Admission and authorisation (§6.4, §7.3 to §7.5) a second time, as plain as the text: whether one token a sender
 * brings lets it do what it asks. Shares nothing with `src/lib/ucan` but the shape of a token.
 */

import type { Token } from '../../../src/lib/ucan/index.ts'
import type { Did } from '../../../src/types/index.ts'
import { ancestors, isSubpath, naiveVerify } from './naive-verifier.ts'

/** What the receiver trusts, and what is asked of it. */
export interface NaiveWorld {
  readonly owner: Did
  readonly roots: readonly Did[]
  readonly requires: readonly Token[]
  readonly revoked: readonly Token[]
  readonly actor: Did
  readonly asked: string
  /** Undefined for an invocation. */
  readonly topic: string | undefined
  readonly nowNs: bigint
}

/** Whether the token answers the question. */
export function naiveAllows(token: Token, world: NaiveWorld): boolean {
  return holds(token, world) && authorises(token, world) && isAdmitted(token, world)
}

/** Verified and not revoked. */
function holds(token: Token, { nowNs, revoked }: NaiveWorld): boolean {
  const isRevoked = (link: Token): boolean =>
    revoked.some(
      other =>
        other.issuer === link.issuer &&
        other.subject === link.subject &&
        String(other.nonce) === String(link.nonce)
    )
  return naiveVerify(token, nowNs) && !ancestors(token).some(isRevoked)
}

function authorises(token: Token, { owner, actor, asked, topic }: NaiveWorld): boolean {
  const has = (names: readonly string[] | null, name: string): boolean =>
    (names ?? []).some(held => isSubpath(held, name))
  if (token.subject !== actor || !has(token.capabilities, asked)) return false
  if (topic !== undefined)
    return token.action === 'broadcast' && token.audience === undefined && has(token.topics, topic)
  return token.action === 'invoke' && (token.audience === undefined || token.audience === owner)
}

function isAdmitted(token: Token, world: NaiveWorld): boolean {
  const issuers = ancestors(token).map(link => link.issuer)
  if (issuers.some(issuer => issuer === world.owner || world.roots.includes(issuer))) return true
  return world.requires.some(anchor => {
    const deepest = issuers.lastIndexOf(anchor.subject)
    const covers = (names: readonly string[] | null, held: readonly string[] | null): boolean =>
      (names ?? []).every(name => (held ?? []).some(wide => isSubpath(wide, name)))
    return (
      holds(anchor, world) &&
      anchor.action === 'delegate' &&
      anchor.expiresAtNs >= token.expiresAtNs &&
      deepest >= 0 &&
      (anchor.depth === 0n || BigInt(deepest) <= anchor.depth) &&
      (anchor.audience === undefined || anchor.audience === token.audience) &&
      covers(token.capabilities, anchor.capabilities) &&
      covers(token.topics, anchor.topics)
    )
  })
}
