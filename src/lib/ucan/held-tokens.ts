/**
 * The tokens of one message. They are bound to the message rather than put into a store of the process, so a token
 * can never authorise a later message whose sender did not present it (§7.5, last paragraph).
 */

import type { Did, Refusal, Result } from '../../types/index.ts'
import { bytesToUtf8, ok, refusal, refuse } from '../../utils/index.ts'
import { checkAdmission, isAnchoredIn } from './admission.ts'
import { MAX_BLOB_LENGTH, MAX_REASONS, MAX_TOKENS_IN_BLOB } from './constants.ts'
import { parseTokenList, reading } from './token-json.ts'
import type { TrustAnchors } from './trust.ts'
import type { ConsumedTokens, Token } from './types.ts'

export class HeldTokens implements ConsumedTokens {
  readonly #trust: TrustAnchors
  #tokens: readonly Token[]
  #reasons: readonly Refusal[]

  constructor(trust: TrustAnchors, tokens: readonly Token[], reasons: readonly Refusal[]) {
    this.#trust = trust
    this.#tokens = tokens
    this.#reasons = reasons
  }

  release(): void {
    this.#tokens = []
    this.#reasons = []
  }

  /** Verified tokens of `consumed` when it was consumed by the context of `trust` and is not released; else none. */
  static read(
    consumed: ConsumedTokens | undefined,
    trust: TrustAnchors
  ): { tokens: readonly Token[]; reasons: readonly Refusal[] } {
    if (!(consumed instanceof HeldTokens) || consumed.#trust !== trust) return { tokens: [], reasons: [] }
    return { tokens: consumed.#tokens, reasons: consumed.#reasons }
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
  const reasons: Refusal[] = []
  for (const token of parsed.value) {
    const reason = checkConsumed(origin, token, trust)
    if (reason === undefined) tokens.push(token)
    else if (reasons.length < MAX_REASONS) reasons.push(reason)
  }
  return ok(new HeldTokens(trust, tokens, reasons))
}

/** Anchoring is looked at before signatures: a stranger's tokens cost no verification. */
function checkConsumed(origin: Did, token: Token, trust: TrustAnchors): Refusal | undefined {
  // A chain of the sender may hold its reply delegation, so it is kept whoever is trusted (§7.4).
  const foreign = isAnchoredIn(token, origin) ? undefined : checkAdmission(token, trust)
  if (foreign !== undefined) return foreign
  const verdict = trust.verify(token)
  return verdict.ok ? undefined : verdict.error
}
