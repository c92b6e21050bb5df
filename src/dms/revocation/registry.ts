/**
 * The revocations of a node. What is offered is judged, written to the database with its proof, then to the
 * capability file, and only then acted on: an error or a power cut in between leaves it in the database, from where
 * the next start puts it in force. Nothing that was taken in is ever evicted; it goes when it expires, because what it
 * revoked has then expired as well (identity-and-actors §6.5).
 */

import type { RevocationRecord, RevocationRepository } from '../../db/index.ts'
import type { CapabilityContext, Token } from '../../lib/ucan/index.ts'
import { formatToken, parseToken, revocationKey } from '../../lib/ucan/index.ts'
import type { Clock, Logger, Refusal } from '../../types/index.ts'
import { Emitter, errorMessage, Mutex, refusal } from '../../utils/index.ts'
import {
  MAX_PER_ISSUER,
  MAX_PER_MEMBER,
  MAX_PROVEN,
  MAX_PROVEN_LENGTH,
  MAX_REVOCATIONS,
  MAX_TOTAL_LENGTH,
  MAX_TURNED_AWAY_CHECKED,
  MAX_WAITING_OFFERS
} from './constants.ts'
import {
  checkRevocation,
  type Judged,
  type Named,
  namedByAnchors,
  sortOffer,
  verifyJudged,
  vouchedFor
} from './judge.ts'
import { type Entry, Ledger } from './ledger.ts'
import { lookUpKeys } from './lookups.ts'
import type { AnchorKeeper, KnownRevocation, Offer, OfferReport } from './types.ts'

export interface RegistryDeps {
  context: Pick<CapabilityContext, 'owner' | 'anchors' | 'lookUp' | 'lookupsFor'>
  /** Require anchors that come and go with deployments: they name nobody whose word counts more than a member's. */
  passing?: (() => readonly Token[]) | undefined
  keeper: AnchorKeeper
  records: RevocationRepository
  clock: Clock
  log: Logger
}

/** Learnt by reading the capability file: an administrator put it there. */
const FROM_FILE = 'file'

export class RevocationRegistry {
  readonly #deps: RegistryDeps
  readonly #ledger = new Ledger()
  readonly #mutex = new Mutex()
  readonly #added = new Emitter<readonly string[]>()
  #waiting = 0
  #turnedAway = 0
  #leave: (() => void) | undefined

  constructor(deps: RegistryDeps) {
    this.#deps = deps
  }

  get ledger(): Ledger {
    return this.#ledger
  }

  /** Offers turned away for lack of room since the start. */
  get turnedAway(): number {
    return this.#turnedAway
  }

  /** Takes up what is stored and puts in force what a crash kept from it. */
  async start(): Promise<void> {
    const { keeper } = this.#deps
    this.#leave = keeper.onChange(() => this.#adopt())
    const missing = this.#readRecords()
    if (missing.length > 0) {
      await this.#putInForce(missing)
      this.#deps.log.info('revocations of before put in force again', { count: missing.length })
    }
    this.#adopt()
  }

  stop(): void {
    this.#leave?.()
  }

  /** Told the keys of revocations that came into force. */
  onAdded(listener: (keys: readonly string[]) => void): () => void {
    return this.#added.on(listener)
  }

  isRevoked(key: string): boolean {
    return this.#ledger.get(key) !== undefined
  }

  /** Takes in what others hand over. Duplicates cost a look-up. @throws DatabaseError; then nothing was taken. */
  async offer(offers: readonly Offer[], from: string): Promise<OfferReport> {
    const unknown = this.#fresh(offers)
    if (unknown.length === 0) return { added: 0, known: offers.length, refused: [] }
    await lookUpKeys(unknown, this.#named(), this.#deps)
    return await this.#inTurn(async () => {
      const { context } = this.#deps
      const named = this.#named()
      const fresh = this.#fresh(offers)
      const good: Judged[] = []
      const refused: Refusal[] = []
      const crowd: Judged[] = []
      for (const offer of fresh) {
        const sorted = sortOffer(offer, named)
        if (!sorted.ok) {
          refused.push(sorted.error)
          continue
        }
        const full = this.#lacksRoom(sorted.value, good)
        if (full !== undefined) crowd.push(sorted.value)
        const reason = full ?? verifyJudged(sorted.value, context)
        if (reason === undefined) good.push(sorted.value)
        else refused.push(reason)
      }
      this.#noteTurnedAway(crowd)
      const report = await this.#take(good, from)
      return { ...report, known: offers.length - fresh.length, refused: [...refused, ...report.refused] }
    })
  }

  /**
   * Takes in what an administrator of this node brings, whoever issued it. All or nothing: the first that does not
   * hold refuses the rest.
   */
  async addByHand(offers: readonly Offer[], from: string): Promise<OfferReport> {
    return await this.#inTurn(async () => {
      const fresh = this.#fresh(offers)
      const known = offers.length - fresh.length
      for (const { revocation } of fresh) {
        const fault = checkRevocation(revocation, this.#deps.context)
        if (fault !== undefined) return { added: 0, known, refused: [fault] }
      }
      return { ...(await this.#take(fresh.map(vouchedFor), from)), known }
    })
  }

  /** Revocations in force, newest knowledge first. */
  list(limit: number, offset = 0): KnownRevocation[] {
    const byKey = new Map(this.#deps.context.anchors.revoke.map(token => [revocationKey(token), token]))
    return this.#ledger
      .values()
      .sort((a, b) => b.learntAtMs - a.learntAtMs)
      .slice(offset, offset + limit)
      .flatMap(({ key, learntAtMs, learntFrom }) => {
        const revocation = byKey.get(key)
        return revocation === undefined ? [] : [{ revocation, learntAtMs, learntFrom }]
      })
  }

  /** Forgets what has expired. */
  collectGarbage(): void {
    const { clock, records } = this.#deps
    const nowNs = clock.nowNs()
    const gone = this.#ledger
      .values()
      .filter(entry => nowNs > entry.expiresAtNs)
      .map(({ key }) => key)
    if (gone.length === 0) return
    records.delete(gone)
    for (const key of gone) this.#ledger.delete(key)
  }

  #named(): Named {
    const { context, passing } = this.#deps
    return namedByAnchors(context, passing?.())
  }

  /** One after another: each is judged by what the one before left. */
  async #inTurn(work: () => Promise<OfferReport>): Promise<OfferReport> {
    if (this.#waiting >= MAX_WAITING_OFFERS) {
      const busy = refusal('REVOCATION_BUSY', 'too many revocations wait to be written; offer it again later')
      return { added: 0, known: 0, refused: [busy] }
    }
    this.#waiting++
    try {
      return await this.#mutex.run(work)
    } finally {
      this.#waiting--
    }
  }

  /** Those that are not known, each once. */
  #fresh(offers: readonly Offer[]): Offer[] {
    const byKey = new Map(offers.map(offer => [revocationKey(offer.revocation), offer]))
    return [...byKey.values()].filter(({ revocation }) => !this.#knows(revocation))
  }

  #knows(revocation: Token): boolean {
    const entry = this.#ledger.get(revocationKey(revocation))
    return entry !== undefined && entry.expiresAtNs >= revocation.expiresAtNs
  }

  /** Why there is no room for one more after those of `before`. */
  #lacksRoom(judged: Judged, before: readonly Judged[]): Refusal | undefined {
    const { charged, key, isProven } = judged
    // What the owner or a root takes back always has room; one that holds longer takes the place of another.
    const inItsPlace = this.#ledger.get(key)?.length ?? -1
    if (charged.length === 0 || judged.length <= inItsPlace) return undefined
    const limit = isProven ? MAX_PER_MEMBER : MAX_PER_ISSUER
    const full = charged.find(
      did => this.#ledger.chargedTo(did) + before.filter(other => other.charged.includes(did)).length >= limit
    )
    if (full !== undefined)
      return refusal(
        'REVOCATION_NO_ROOM',
        `at most ${limit} revocations are kept of '${full}' and those below`
      )
    const { ledger } = this
    const all = [...before, judged]
    const proven = all.filter(other => other.isProven)
    const fits =
      ledger.size + all.length <= MAX_REVOCATIONS && ledger.length + lengthOf(all) <= MAX_TOTAL_LENGTH
    const fitsProven =
      ledger.proven + proven.length <= MAX_PROVEN &&
      ledger.provenLength + lengthOf(proven) <= MAX_PROVEN_LENGTH
    if (fits && (!isProven || fitsProven)) return undefined
    return refusal(
      'REVOCATION_NO_ROOM',
      `at most ${MAX_REVOCATIONS} revocations of ${MAX_TOTAL_LENGTH} characters are kept, ${MAX_PROVEN} of them by members`
    )
  }

  /** Counts what was turned away. Some are verified, so that forged ones raise no alarm. */
  #noteTurnedAway(crowd: readonly Judged[]): void {
    const { context, log } = this.#deps
    const checked = crowd.slice(0, MAX_TURNED_AWAY_CHECKED)
    const real = checked.filter(each => verifyJudged(each, context) === undefined).length
    if (real === 0) return
    this.#turnedAway += real === checked.length ? crowd.length : real
    log.error('revocations turned away: there is no room for more', {
      count: crowd.length,
      charged: [...new Set(crowd.flatMap(({ charged }) => charged))].slice(0, MAX_LOGGED)
    })
  }

  async #take(
    judged: readonly Judged[],
    from: string
  ): Promise<{ added: number; known: number; refused: readonly Refusal[] }> {
    if (judged.length === 0) return { added: 0, known: 0, refused: [] }
    const { clock, records, log } = this.#deps
    const learntAtMs = clock.nowMs()
    const entries = judged.map(each => entryFor(each, from, learntAtMs))
    records.save(judged.map(each => recordOf(each, from, learntAtMs)))
    const fault = await this.#putInForce(judged.map(({ revocation }) => revocation))
    if (fault !== undefined) {
      records.delete(entries.map(({ key }) => key))
      return { added: 0, known: 0, refused: [fault] }
    }
    for (const entry of entries) this.#ledger.add(entry)
    this.#added.emit(entries.map(({ key }) => key))
    for (const { revocation } of judged.slice(0, MAX_LOGGED))
      log.info('revocation in force', { issuer: revocation.issuer, subject: revocation.subject, from })
    return { added: judged.length, known: 0, refused: [] }
  }

  /** Into the file and into force. A file that cannot be written must not keep a known revocation from counting. */
  async #putInForce(tokens: readonly Token[]): Promise<Refusal | undefined> {
    const { keeper, context, log } = this.#deps
    const powers = context.anchors.provide
    try {
      const verdict = await keeper.add({ revoke: tokens })
      if (!verdict.ok) {
        log.error('revocation not accepted', { reason: verdict.error.message })
        return verdict.error
      }
    } catch (error) {
      log.error('revocation is in force but not in the capability file', { error: errorMessage(error) })
      context.anchors.addRevoke(tokens)
    }
    const left = new Set(context.anchors.provide)
    for (const lost of powers.filter(token => !left.has(token)).slice(0, MAX_LOGGED))
      log.warn('a power of this node was revoked', {
        issuer: lost.issuer,
        capabilities: lost.capabilities,
        topics: lost.topics
      })
    return undefined
  }

  /** Stored revocations become entries; those that the file lacks are returned. */
  #readRecords(): Token[] {
    const { context, records, clock } = this.#deps
    const named = this.#named()
    const inForce = new Set(context.anchors.revoke.map(revocationKey))
    const missing: Token[] = []
    const dead: string[] = []
    for (const record of records.list()) {
      const parsed = parseToken(record.revocation)
      if (!parsed.ok || clock.nowNs() > parsed.value.expiresAtNs) {
        dead.push(record.key)
        continue
      }
      if (!inForce.has(record.key)) {
        // Its issuer's key may not be at hand now (another DID method): kept for a better day.
        if (checkRevocation(parsed.value, context) !== undefined) continue
        missing.push(parsed.value)
      }
      this.#ledger.add(entryOf(record, parsed.value, named))
    }
    records.delete(dead)
    return missing
  }

  /** Revocations that came by the file: known from now on, and handed on like any other. */
  #adopt(): void {
    const { context, records, clock, log } = this.#deps
    const learntAtMs = clock.nowMs()
    const fresh = context.anchors.revoke.filter(token => !this.#knows(token))
    if (fresh.length === 0) return
    const judged = fresh.map(revocation => vouchedFor({ revocation }))
    try {
      records.save(judged.map(each => recordOf(each, FROM_FILE, learntAtMs)))
    } catch (error) {
      // The file holds them: the next start reads them there.
      log.warn('revocations of the capability file not recorded', { error: errorMessage(error) })
    }
    for (const each of judged) this.#ledger.add(entryFor(each, FROM_FILE, learntAtMs))
    this.#added.emit(judged.map(({ key }) => key))
  }
}

/** Log lines for one batch; the rest is counted elsewhere. */
const MAX_LOGGED = 16

function recordOf(
  { key, revocation, proof }: Judged,
  learntFrom: string,
  learntAtMs: number
): RevocationRecord {
  return {
    key,
    revocation: formatToken(revocation),
    ...(proof === undefined ? {} : { proof: formatToken(proof) }),
    learntFrom,
    learntAtMs
  }
}

function entryFor(
  { key, revocation, length, charged, isProven }: Judged,
  learntFrom: string,
  learntAtMs: number
): Entry {
  return { key, expiresAtNs: revocation.expiresAtNs, length, charged, isProven, learntAtMs, learntFrom }
}

function lengthOf(judged: readonly Judged[]): number {
  return judged.reduce((sum, { length }) => sum + length, 0)
}

/** The entry of a stored record. Anchors may have changed, so whom it is charged to is looked at anew. */
function entryOf(record: RevocationRecord, revocation: Token, named: Named): Entry {
  const proof = record.proof === undefined ? undefined : parseToken(record.proof)
  const sorted = sortOffer({ revocation, proof: proof?.ok ? proof.value : undefined }, named)
  const { learntAtMs, learntFrom } = record
  return entryFor(sorted.ok ? sorted.value : vouchedFor({ revocation }), learntFrom, learntAtMs)
}
