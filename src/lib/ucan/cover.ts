/**
 * Whether one anchored token makes another superfluous: whatever the second lets through, the first lets through as
 * well. Unlike the "subsumes" of existing clients (identity-and-actors §5.5) topics, audience, depth and the chain are
 * looked at, so removing a covered anchor changes no verdict while the covering one stands. Both are taken as valid;
 * whoever asks has looked at expiry of the first and at revocations.
 */

import { anyImplies } from './capability.ts'
import { chainExpiry, chainOf, issuersOf } from './chain.ts'
import type { Token } from './types.ts'

/** Whether every chain that the require anchor `other` admits is admitted by `anchor` too (§7.3). */
export function coversRequire(anchor: Token, other: Token): boolean {
  return (
    anchor.subject === other.subject &&
    allowsAtLeast(anchor, other) &&
    (anchor.depth === 0n || (other.depth > 0n && anchor.depth >= other.depth))
  )
}

/**
 * Whether a receiver that takes what is chained on the provide anchor `other` takes it when it is chained on `anchor`
 * as well, whomever that receiver trusts (§7.3, §7.7): each issuer of the one chain stands in the other, no farther
 * from the leaf.
 */
export function coversProvide(anchor: Token, other: Token): boolean {
  return (
    anchor.subject === other.subject &&
    allowsAtLeast(anchor, other) &&
    remainingSteps(anchor) >= remainingSteps(other) &&
    chainOf(anchor).length <= chainOf(other).length &&
    standsOn(anchor, other)
  )
}

function allowsAtLeast(anchor: Token, other: Token): boolean {
  return (
    chainExpiry(anchor) >= chainExpiry(other) &&
    (anchor.audience === undefined || anchor.audience === other.audience) &&
    other.topics.every(name => anyImplies(anchor.topics, name)) &&
    (other.capabilities ?? []).every(name => anyImplies(anchor.capabilities ?? [], name))
  )
}

function standsOn(anchor: Token, other: Token): boolean {
  const issuers = issuersOf(anchor)
  return [...issuersOf(other)].every(([issuer, position]) => {
    const found = issuers.get(issuer)
    return found !== undefined && found <= position
  })
}

/**
 * How many tokens may still be put on a delegation before a depth in its chain is used up (§6.3): 0 makes it of no
 * use, 1 lets its subject use it but not pass it on; `Infinity` without any limit.
 */
export function remainingSteps(token: Token): number {
  const limits = chainOf(token).map((link, position) =>
    link.depth === 0n ? Number.POSITIVE_INFINITY : Number(link.depth) - position
  )
  return Math.max(0, Math.min(...limits))
}
