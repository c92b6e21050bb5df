/**
 * What one node asks another about revocations and how it answers, as JSON. Both sides hold no state about each
 * other: the question says what the asker has, by digest, and the answer is a page of what it lacks.
 */

import { z } from 'zod'
import { formatTokenList, parseTokenList, revocationKey, type Token } from '../../lib/ucan/index.ts'
import type { Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'
import { BUCKETS, MAX_PER_MESSAGE, PAGE_LENGTH } from './constants.ts'
import { DIGEST_LENGTH, type Ledger, MARK_LENGTH } from './ledger.ts'
import type { Offer } from './types.ts'

const digest = z
  .string()
  .regex(/^[0-9a-f]*$/)
  .max(DIGEST_LENGTH)

/** `Have`: a digest for each bucket; `After`: where the last page ended; `Seen`: the digest of all at the last answer. */
export const lackingRequestSchema = z.object({
  Have: z.array(digest).length(BUCKETS).nullish(),
  After: z
    .string()
    .regex(/^[0-9a-f]*$/)
    .max(MARK_LENGTH)
    .nullish(),
  Seen: digest.nullish()
})

/** A question for what the asker lacks. */
export type LackingRequest = z.infer<typeof lackingRequestSchema>

/** Token lists as JSON text, because expiry needs all its digits. */
export interface Page {
  readonly revocations: string
  readonly proofs: string
  /** Where the next page begins; empty when this is the last. */
  readonly next: string
  readonly digest: string
}

/** Texts of an entry as they are stored. */
export type ReadTexts = (
  key: string
) => { readonly revocation: string; readonly proof?: string | undefined } | undefined

/** The page of what `request` says to be lacking. At least one entry, then as many as fit. */
export function pageOf(ledger: Ledger, { Have, After, Seen }: LackingRequest, read: ReadTexts): Page {
  const whole = ledger.digest()
  const revocations: string[] = []
  const proofs: string[] = []
  let length = 0
  let next = ''
  if (Seen === whole) return { revocations: '{}', proofs: '{}', next, digest: whole }
  for (const { mark, entry } of ledger.beyond(Have ?? undefined, After ?? '')) {
    const texts = read(entry.key)
    if (texts === undefined) continue
    length += texts.revocation.length + (texts.proof?.length ?? 0)
    if (length > PAGE_LENGTH && revocations.length > 0) {
      return { revocations: listOf(revocations), proofs: listOf(proofs), next, digest: whole }
    }
    revocations.push(texts.revocation)
    if (texts.proof !== undefined) proofs.push(texts.proof)
    next = mark
  }
  return { revocations: listOf(revocations), proofs: listOf(proofs), next: '', digest: whole }
}

function listOf(tokens: readonly string[]): string {
  return tokens.length === 0 ? '{}' : `{"tok":[${tokens.join(',')}]}`
}

/** The answer to a question, read from a peer's reply. Values come from an exact payload. */
export interface LackingReply {
  readonly offers: readonly Offer[]
  readonly next: string
  readonly digest: string
}

const replySchema = z.object({
  OK: z.literal(true),
  Revoke: z.unknown(),
  Proof: z.unknown(),
  Next: z
    .string()
    .regex(/^[0-9a-f]*$/)
    .max(MARK_LENGTH),
  Digest: digest
})

/** Reads a peer's answer; refused when it is not one. Nothing in it is verified. */
export function readReply(payload: unknown): Result<LackingReply> {
  const reply = replySchema.safeParse(payload)
  if (!reply.success) return refuse(refusal('REVOCATION_REPLY', 'the peer did not answer with a list'))
  const offers = readOffers(reply.data.Revoke, reply.data.Proof)
  return offers.ok ? ok({ offers: offers.value, next: reply.data.Next, digest: reply.data.Digest }) : offers
}

/** A token list in an exact payload: absent and `null` read as empty; a single token as a list of one. */
export function readTokens(value: unknown): Result<Token[]> {
  if (value === undefined || value === null) return ok([])
  const isSingle = typeof value === 'object' && 'dms' in value
  return parseTokenList(JSON.stringify(isSingle ? { tok: [value] } : value))
}

/** Revocations with the proofs that belong to them. */
export function readOffers(revocations: unknown, proofs: unknown): Result<Offer[]> {
  const listed = readTokens(revocations)
  if (!listed.ok) return listed
  const shown = readTokens(proofs)
  if (!shown.ok) return shown
  const byKey = new Map(shown.value.map(token => [revocationKey(token), token]))
  return ok(
    listed.value.map(revocation => {
      const proof = byKey.get(revocationKey(revocation))
      return proof === undefined ? { revocation } : { revocation, proof }
    })
  )
}

/** As `readOffers`, for messages by broadcast and by hand, which hold a bounded number. */
export function readFewOffers(revocations: unknown, proofs: unknown): Result<Offer[]> {
  const offers = readOffers(revocations, proofs)
  if (!offers.ok || offers.value.length <= MAX_PER_MESSAGE) return offers
  return refuse(
    refusal(
      'REVOCATION_TOO_MANY',
      `a message holds at most ${MAX_PER_MESSAGE} revocations, not ${offers.value.length}`
    )
  )
}

/** The token lists of offers as JSON text. */
export function offerTexts(offers: readonly Offer[]): { revocations: string; proofs: string } {
  return {
    revocations: formatTokenList(offers.map(({ revocation }) => revocation)),
    proofs: formatTokenList(offers.flatMap(({ proof }) => (proof === undefined ? [] : [proof])))
  }
}
