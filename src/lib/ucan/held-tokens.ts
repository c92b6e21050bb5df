/**
 * The tokens of one message. They are bound to the message rather than put into a store of the process, so a token
 * can never authorise a later message whose sender did not present it (§7.5, last paragraph).
 */

import type { Did, Refusal, Result } from '../../types/index.ts'
import { bytesToUtf8, ok, refusal, refuse } from '../../utils/index.ts'
import { checkAdmission, isAnchoredIn } from './admission.ts'
import { MAX_BLOB_LENGTH, MAX_REASONS, MAX_REVOKED_EXPLAINED, MAX_TOKENS_IN_BLOB } from './constants.ts'
import { tokenRefusal } from './describe.ts'
import { parseTokenList, reading } from './token-json.ts'
import type { TrustAnchors } from './trust.ts'
import type { ConsumedTokens, Token } from './types.ts'

/** What became of the tokens of one message. */
export interface SortedTokens {
  /** Verified. */
  readonly tokens: readonly Token[]
  /** Good in all but this: a link was revoked. They authorise nothing; their bearer may hear why. */
  readonly revoked: readonly Revoked[]
  /** Why others were left out. */
  readonly reasons: readonly Refusal[]
}

/** A token that would be accepted, had no link of its chain been revoked. */
export interface Revoked {
  readonly token: Token
  /** Names the link. */
  readonly reason: Refusal
}

const NOTHING: SortedTokens = { tokens: [], revoked: [], reasons: [] }

export class HeldTokens implements ConsumedTokens {
  readonly #trust: TrustAnchors
  #sorted: SortedTokens
  #proof: Token | undefined

  constructor(trust: TrustAnchors, sorted: SortedTokens) {
    this.#trust = trust
    this.#sorted = sorted
  }

  get proof(): Token | undefined {
    return this.#proof
  }

  release(): void {
    this.#sorted = NOTHING
    this.#proof = undefined
  }

  /** Notes which of the tokens of `consumed`, as `read` gave them, let the message in. */
  static admit(consumed: ConsumedTokens, token: Token): void {
    const held = consumed as HeldTokens // tokens are read from nothing else
    held.#proof = token
  }

  /** Tokens of `consumed` when it was consumed by the context of `trust` and is not released; else none. */
  static read(consumed: ConsumedTokens | undefined, trust: TrustAnchors): SortedTokens {
    if (!(consumed instanceof HeldTokens) || consumed.#trust !== trust) return NOTHING
    return consumed.#sorted
  }
}

/** Reads and verifies the token list of a message (§7.4). */
export function consumeBlob(origin: Did, blob: Uint8Array, trust: TrustAnchors): Result<ConsumedTokens> {
  if (blob.length > MAX_BLOB_LENGTH) {
    const reason = `the tokens of the message take ${blob.length} bytes; at most ${MAX_BLOB_LENGTH} are allowed`
    return refuse(
      refusal('UCAN_BLOB_TOO_BIG', reason, { details: { asked: blob.length, held: MAX_BLOB_LENGTH } })
    )
  }
  const text = reading(() => bytesToUtf8(blob))
  const parsed = text.ok ? parseTokenList(text.value, MAX_BLOB_LENGTH) : text
  if (!parsed.ok) return parsed
  if (parsed.value.length > MAX_TOKENS_IN_BLOB) {
    return refuse(
      refusal(
        'UCAN_TOO_MANY_TOKENS',
        `the message carries ${parsed.value.length} tokens; at most ${MAX_TOKENS_IN_BLOB} are allowed`
      )
    )
  }
  const tokens: Token[] = []
  const revoked: Revoked[] = []
  const reasons: Refusal[] = []
  for (const token of parsed.value) {
    const reason = checkConsumed(origin, token, trust)
    if (reason === undefined) tokens.push(token)
    else {
      if (reasons.length < MAX_REASONS) reasons.push(reason)
      if (revoked.length < MAX_REVOKED_EXPLAINED && wasGood(token, reason, trust))
        revoked.push({ token, reason })
    }
  }
  return ok(new HeldTokens(trust, { tokens, revoked, reasons }))
}

/**
 * Whether nothing but a revocation stands against a token that this context would otherwise trust: then its bearer
 * is no stranger. Signatures count as for any other token, so that nobody gets an answer with a forged chain.
 */
function wasGood(token: Token, reason: Refusal, trust: TrustAnchors): boolean {
  return reason.code === 'UCAN_REVOKED' && checkAdmission(token, trust) === undefined && trust.heldOnce(token)
}

/** Anchoring is looked at before signatures: a stranger's tokens cost no verification. */
function checkConsumed(origin: Did, token: Token, trust: TrustAnchors): Refusal | undefined {
  // Messages carry none (§6.5), and of a revocation nothing but its own signature is verified: a chain below it would
  // pass for one that shows whom its bearer belongs to.
  if (token.action === 'revoke') {
    const reason = 'is a revocation; a message is let in by none'
    return tokenRefusal('UCAN_WRONG_ACTION', token, 0, reason, { held: token.action })
  }
  // A chain of the sender may hold its reply delegation, so it is kept whoever is trusted (§7.4).
  const isOwn = isAnchoredIn(token, origin)
  const foreign = isOwn && token.chain === undefined ? undefined : checkAdmission(token, trust)
  if (foreign !== undefined && !isOwn) return foreign
  // What a stranger shows is not remembered: it would push out what members show.
  const verdict = foreign === undefined ? trust.verify(token) : trust.verifyOnce(token)
  return verdict.ok ? undefined : verdict.error
}
