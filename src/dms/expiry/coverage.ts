/**
 * Which tokens would be missed. A token is covered by one that lives longer and lets the same subject do at least the
 * same; where that is not certain it counts as not covered, since a needless announcement costs less than none.
 */

import { type Capability, chainExpiry, chainOf, impliesCapability, type Token } from '../../lib/ucan/index.ts'
import type { Did } from '../../types/index.ts'
import { MAX_COMPARED, MAX_WATCHED } from './constants.ts'
import type { AnchorRole, Ending, StaticAnchors } from './types.ts'

/** When a token ends, in milliseconds. A token without end in sight lasts as long as a number of milliseconds can. */
export function endOf(token: Token): number {
  const ms = chainExpiry(token) / 1_000_000n
  return ms > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(ms)
}

/** The tokens that none covers, those that end first, at most `MAX_WATCHED`. Those that have ended are not among them. */
export function endingsOf(anchors: StaticAnchors, owner: Did, nowMs: number): Ending[] {
  return endingsIn(new CoverIndex(anchors, owner), anchors, nowMs)
}

/** As `endingsOf`, with an index that is there already. */
export function endingsIn(index: CoverIndex, anchors: StaticAnchors, nowMs: number): Ending[] {
  const all: Ending[] = []
  for (const role of ['provide', 'require'] as const) {
    for (const token of anchors[role]) all.push({ role, token, endsAtMs: endOf(token) })
  }
  const endings: Ending[] = []
  for (const ending of all.sort((a, b) => a.endsAtMs - b.endsAtMs)) {
    if (endings.length >= MAX_WATCHED) break
    const grantsNothing = (ending.token.capabilities ?? []).length === 0
    if (ending.endsAtMs < nowMs || grantsNothing || index.covers(ending.role, ending.token)) continue
    endings.push(ending)
  }
  return endings
}

/**
 * Finds out whether a token is covered. One that has ended may be covered by one that ended later: then the end of the
 * latter is what took something away.
 */
export class CoverIndex {
  readonly #trusted: ReadonlySet<Did>
  readonly #owner: Did
  /** By role and subject: those that live longest, longest first. */
  readonly #bySubject = new Map<string, Token[]>()

  constructor(anchors: StaticAnchors, owner: Did) {
    this.#owner = owner
    this.#trusted = new Set([owner, ...anchors.roots])
    for (const role of ['provide', 'require'] as const) {
      for (const token of anchors[role].toSorted((a, b) => endOf(b) - endOf(a))) {
        const key = `${role} ${token.subject}`
        const list = this.#bySubject.get(key)
        if (list === undefined) this.#bySubject.set(key, [token])
        else if (list.length < MAX_COMPARED) list.push(token)
      }
    }
  }

  /** Whether something that lives longer gives the same. Of two that end together the first covers the second. */
  covers(role: AnchorRole, token: Token): boolean {
    // Who is trusted fully needs no anchor.
    if (role === 'require' && this.#trusted.has(token.subject)) return true
    const candidates = this.#bySubject.get(`${role} ${token.subject}`) ?? []
    const own = candidates.indexOf(token)
    return candidates.some((candidate, place) => {
      const longer = endOf(candidate) > endOf(token)
      const twin = endOf(candidate) === endOf(token) && own >= 0 && place < own
      return (longer || twin) && this.#gives(role, candidate, token)
    })
  }

  #gives(role: AnchorRole, candidate: Token, token: Token): boolean {
    return (
      (candidate.audience === undefined || candidate.audience === token.audience) &&
      stepsLeft(candidate) >= stepsLeft(token) &&
      implyAll(candidate.capabilities, token.capabilities) &&
      implyAll(candidate.topics, token.topics) &&
      (role === 'require' || this.#isTrustedAlike(candidate, token))
    )
  }

  /** A receiver trusts a chain for one of its issuers, and we do not know which: the other chain must have them all. */
  #isTrustedAlike(candidate: Token, token: Token): boolean {
    const issuers = new Set(chainOf(candidate).map(link => link.issuer))
    return chainOf(token).every(({ issuer }) => issuer === this.#owner || issuers.has(issuer))
  }
}

function implyAll(held: readonly Capability[] | null, wanted: readonly Capability[] | null): boolean {
  if (wanted === null) return true
  const names = new Set(held)
  return wanted.every(name => names.has(name) || (held ?? []).some(each => impliesCapability(each, name)))
}

/** How many links may follow the leaf (identity-and-actors §6.3). */
function stepsLeft(token: Token): number {
  const limits = chainOf(token).map(({ depth }, position) =>
    depth > 0n ? Number(depth) - position : Infinity
  )
  return Math.min(...limits)
}
