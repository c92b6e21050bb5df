/**
 * What a context trusts, and what it may hand on: roots, require, provide and revoke anchors (identity-and-actors
 * §7.1 to §7.3).
 */

import type { Clock, Did, Refusal, Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'
import { AnchorIndex } from './anchor-index.ts'
import { chainExpiry, chainOf, revocationKey } from './chain.ts'
import { MAX_ANCHORS } from './constants.ts'
import { quoted, shortDid, tokenRefusal } from './describe.ts'
import type { Anchors, Token } from './types.ts'
import { VerifiedChains } from './verified-chains.ts'
import { type VerifyOptions, verifyToken } from './verify.ts'

export interface TrustDeps {
  readonly clock: Pick<Clock, 'nowNs'>
  readonly keyOf?: VerifyOptions['keyOf']
}

export class TrustAnchors implements Anchors {
  readonly owner: Did
  readonly #clock: Pick<Clock, 'nowNs'>
  readonly #keyOf: VerifyOptions['keyOf']
  readonly #maxAnchors: number
  readonly #roots = new Set<Did>()
  readonly #revoked = new Map<string, Token>()
  readonly #verified = new VerifiedChains()
  readonly requireIndex = new AnchorIndex()
  readonly provideIndex = new AnchorIndex()

  constructor(deps: TrustDeps, options: { owner: Did; maxAnchors?: number }) {
    this.owner = options.owner
    this.#maxAnchors = options.maxAnchors ?? MAX_ANCHORS
    this.#clock = deps.clock
    this.#keyOf = deps.keyOf
  }

  get roots(): readonly Did[] {
    return [...this.#roots]
  }

  get require(): readonly Token[] {
    return this.requireIndex.values()
  }

  get provide(): readonly Token[] {
    return this.provideIndex.values()
  }

  get revoke(): readonly Token[] {
    return [...this.#revoked.values()]
  }

  /** The owner and the roots are trusted for everything. */
  isTrustedFully(did: Did): boolean {
    return did === this.owner || this.#roots.has(did)
  }

  /** Full verification at this moment, with this context's revocations. */
  verify(token: Token): Result<void> {
    return verifyToken(token, {
      nowNs: this.#clock.nowNs(),
      isRevoked: this.#revoked.size === 0 ? undefined : link => this.#revoked.has(revocationKey(link)),
      keyOf: this.#keyOf,
      verified: this.#verified
    })
  }

  /** As `verify`, but nothing is remembered of it. */
  verifyOnce(token: Token): Result<void> {
    return this.verifyWith(token, this.#keyOf)
  }

  /** As `verify`, with other keys; nothing is remembered of it. */
  verifyWith(token: Token, keyOf: VerifyOptions['keyOf']): Result<void> {
    const isRevoked = (link: Token): boolean => this.#revoked.has(revocationKey(link))
    return verifyToken(token, { nowNs: this.#clock.nowNs(), isRevoked, keyOf })
  }

  /** Expiry and revocation again, for a token verified before. */
  recheck(token: Token): Refusal | undefined {
    if (this.#clock.nowNs() > chainExpiry(token)) return tokenRefusal('UCAN_EXPIRED', token, 0, 'has expired')
    const position = this.#revokedPosition(token)
    if (position < 0) return undefined
    return tokenRefusal('UCAN_REVOKED', token, position, 'was revoked by its issuer')
  }

  /** Whether a token holds but for the revocations known here: was it ever worth something? */
  heldOnce(token: Token): boolean {
    const options = { nowNs: this.#clock.nowNs(), keyOf: this.#keyOf, verified: this.#verified }
    return verifyToken(token, options).ok
  }

  addRoot(did: Did): boolean {
    if (this.#roots.has(did) || this.#roots.size >= this.#maxAnchors) return false
    this.#roots.add(did)
    return true
  }

  removeRoot(did: Did): boolean {
    return this.#roots.delete(did)
  }

  addRequire(tokens: readonly Token[]): Result<void> {
    return this.#addAll(tokens, this.requireIndex, token => checkDelegation(token))
  }

  addProvide(tokens: readonly Token[]): Result<void> {
    return this.#addAll(
      tokens,
      this.provideIndex,
      token => checkDelegation(token) ?? this.#checkForOwner(token)
    )
  }

  addRevoke(tokens: readonly Token[]): Result<void> {
    const causes = tokens.map(token => this.#checkRevocation(token)).filter(cause => cause !== undefined)
    if (causes.length > 0) return refuse(anchorRefusal(causes))
    if (this.#revoked.size + tokens.length > this.#maxAnchors) return refuse(tooMany(this.#maxAnchors))
    for (const token of tokens) {
      const key = revocationKey(token)
      const known = this.#revoked.get(key)
      // One that ends earlier must not take the place of one that holds longer.
      if (known === undefined || known.expiresAtNs < token.expiresAtNs) this.#revoked.set(key, token)
    }
    this.#verified.clear()
    this.requireIndex.removeWhere(token => this.#revokedPosition(token) >= 0)
    this.provideIndex.removeWhere(token => this.#revokedPosition(token) >= 0)
    return ok(undefined)
  }

  removeRequire(token: Token): boolean {
    return this.requireIndex.removeByNonce(token)
  }

  removeProvide(token: Token): boolean {
    return this.provideIndex.removeByNonce(token)
  }

  collectGarbage(): number {
    const nowNs = this.#clock.nowNs()
    const isExpired = (token: Token): boolean => nowNs > chainExpiry(token)
    let removed = this.requireIndex.removeWhere(isExpired) + this.provideIndex.removeWhere(isExpired)
    for (const [key, token] of this.#revoked) {
      if (isExpired(token) && this.#revoked.delete(key)) removed++ // what it revoked has expired as well (§6.5)
    }
    this.#verified.dropExpired(nowNs)
    return removed
  }

  /** Position of the first link of the chain that was revoked; -1 when none was. */
  #revokedPosition(token: Token): number {
    if (this.#revoked.size === 0) return -1
    return chainOf(token).findIndex(link => this.#revoked.has(revocationKey(link)))
  }

  #addAll(
    tokens: readonly Token[],
    index: AnchorIndex,
    check: (token: Token) => Refusal | undefined
  ): Result<void> {
    const causes: Refusal[] = []
    for (const token of tokens) {
      const verdict = this.verify(token)
      const cause = verdict.ok ? check(token) : verdict.error
      if (cause !== undefined) causes.push(cause)
    }
    if (causes.length > 0) return refuse(anchorRefusal(causes))
    if (index.size + tokens.length > this.#maxAnchors) return refuse(tooMany(this.#maxAnchors))
    for (const token of tokens) index.add(token)
    return ok(undefined)
  }

  #checkForOwner(token: Token): Refusal | undefined {
    if (token.subject === this.owner) return undefined
    const reason = `was given to ${shortDid(token.subject)}; this context belongs to ${shortDid(this.owner)}`
    return tokenRefusal('UCAN_NOT_FOR_OWNER', token, 0, reason, { asked: this.owner, held: token.subject })
  }

  #checkRevocation(token: Token): Refusal | undefined {
    if (token.action !== 'revoke') return tokenRefusal('UCAN_NOT_REVOCATION', token, 0, 'is not a revocation')
    const verdict = this.verify(token)
    return verdict.ok ? undefined : verdict.error
  }
}

function checkDelegation(token: Token): Refusal | undefined {
  if (token.action === 'delegate') return undefined
  const reason = `has the action ${quoted(token.action)}; only 'delegate' tokens can be anchored`
  return tokenRefusal('UCAN_NOT_DELEGATION', token, 0, reason, { asked: 'delegate', held: token.action })
}

function anchorRefusal(causes: readonly Refusal[]): Refusal {
  const [only] = causes
  if (causes.length === 1 && only !== undefined) return only
  return refusal('UCAN_ANCHOR_REFUSED', `${causes.length} tokens cannot be anchored`, { causes })
}

function tooMany(limit: number): Refusal {
  return refusal('UCAN_TOO_MANY_ANCHORS', `a context holds at most ${limit} anchors of a kind`)
}
