/** Verdicts about inspected tokens: each link by itself, the whole, and what a context makes of it. */

import {
  type CapabilityContext,
  type CapabilityFile,
  chainOf,
  formatToken,
  type KeyLookup,
  revocationKey,
  type Token,
  type VerifiedChains,
  verifyToken
} from '../../../lib/ucan/index.ts'
import type { Refusal, Result } from '../../../types/index.ts'

/** One token of a chain. */
export interface JudgedLink {
  readonly token: Token
  /** What is wrong with this very link; a link may be right and rest on one that is not. */
  readonly fault: Refusal | undefined
}

/** One inspected token. */
export interface Judged {
  readonly token: Token
  /** From the root to the leaf. */
  readonly links: readonly JudgedLink[]
  readonly verdict: Result<void>
  /** Only when a context was named. */
  readonly inContext: ContextView | undefined
}

/** What a context makes of a token. */
export interface ContextView {
  readonly name: string
  /** The lists of the file in which it stands. */
  readonly held: readonly ('require' | 'provide' | 'revoke')[]
  /** Whether a chain like this is anchored in something trusted there. */
  readonly admission: Result<void>
  /** For a revocation: anchors of the context that it takes back. */
  readonly takesBack: number
}

/** The context the tokens are held against. */
export interface Observer {
  readonly name: string
  readonly file: CapabilityFile
  readonly context: CapabilityContext
}

export interface Circumstances extends Pick<KeyLookup, 'keyOf'> {
  readonly nowNs: bigint
  readonly observer: Observer | undefined
}

/** Judges one token; `verified` remembers good chains between several that share their links. */
export function judge(token: Token, circumstances: Circumstances, verified: VerifiedChains): Judged {
  const { nowNs, keyOf, observer } = circumstances
  const revoked = new Set((observer?.context.anchors.revoke ?? []).map(revocationKey))
  const isRevoked = (link: Token): boolean => revoked.has(revocationKey(link))
  const verdictOf = (link: Token): Result<void> => verifyToken(link, { nowNs, isRevoked, keyOf, verified })
  const verdict = verdictOf(token)
  const chain = chainOf(token)
  const links = chain.map((link, position) => ({
    token: link,
    // Only the depth depends on what was chained on a link, and only the whole shows it.
    fault: faultAt(verdictOf(link), 0) ?? faultAt(verdict, position)
  }))
  return {
    token,
    links: links.toReversed(),
    verdict,
    inContext: observer && viewOf(token, observer)
  }
}

function faultAt(verdict: Result<void>, position: number): Refusal | undefined {
  return verdict.ok || verdict.error.details?.['position'] !== position ? undefined : verdict.error
}

function viewOf(token: Token, { name, file, context }: Observer): ContextView {
  const text = formatToken(token)
  const held = (['require', 'provide', 'revoke'] as const).filter(list =>
    file[list].some(entry => formatToken(entry) === text)
  )
  const key = token.action === 'revoke' ? revocationKey(token) : undefined
  const takesBack = [...file.require, ...file.provide].filter(anchor =>
    chainOf(anchor).some(link => revocationKey(link) === key)
  )
  return { name, held, admission: context.examine(token).admission, takesBack: takesBack.length }
}
