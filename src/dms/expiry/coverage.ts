/**
 * Which tokens would be missed. A token is covered by one that lives longer and lets the same subject do at least the
 * same; where that is not certain it counts as not covered, since a needless announcement costs less than none.
 */

import { chainExpiry, coversProvide, coversRequire, type Token } from '../../lib/ucan/index.ts'
import type { Did } from '../../types/index.ts'
import { MAX_COMPARED, MAX_WATCHED } from './constants.ts'
import type { AnchorRole, Ending, StaticAnchors } from './types.ts'

/** When a token or the first of its chain ends, in milliseconds. It is good up to and including that time. */
export function endOf(token: Token): number {
  return Number(chainExpiry(token) / 1_000_000n)
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
  /** By role and subject: those that live longest, longest first. */
  readonly #bySubject = new Map<string, Token[]>()

  constructor(anchors: StaticAnchors, owner: Did) {
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
    const gives = role === 'require' ? coversRequire : coversProvide
    return candidates.some((candidate, place) => {
      const longer = endOf(candidate) > endOf(token)
      const twin = endOf(candidate) === endOf(token) && own >= 0 && place < own
      return (longer || twin) && gives(candidate, token)
    })
  }
}
