/**
 * Learning what was revoked while this node was away. A broadcast reaches only who is there; so a node asks the peers
 * it meets, and later a few of them in turn, for what it lacks. Whoever is asked may say anything: revocations prove
 * themselves, so a liar can at most keep something back, which the next peer makes good.
 */

import type { Actor } from '../../actor/index.ts'
import { rootHandleOfPeer } from '../../lib/did/index.ts'
import type { Network } from '../../network/index.ts'
import type { Clock, Logger, PeerId, RandomSource, Timer } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import {
  ASK_SPREAD_MS,
  ASK_TIMEOUT_MS,
  ENOUGH_ANSWERS,
  LACKING_BEHAVIOR,
  MAX_ASKING,
  MAX_PAGES,
  MAX_REMEMBERED_PEERS,
  MIN_ASK_INTERVAL_MS,
  PEERS_PER_ROUND,
  RETRY_MS,
  ROUND_MS
} from './constants.ts'
import { readReply } from './exchange.ts'
import type { Knowledge } from './knowledge.ts'
import type { RevocationRegistry } from './registry.ts'

export interface SyncDeps {
  actor: Pick<Actor, 'invoke'>
  network: Pick<Network, 'peers' | 'isConnected' | 'onEvent'>
  registry: RevocationRegistry
  knowledge: Knowledge
  clock: Clock
  random: RandomSource
  log: Logger
}

/** Refusals of today that may be none tomorrow: what was refused so is asked for again. */
const MAY_CHANGE: ReadonlySet<string> = new Set([
  'REVOCATION_NO_ROOM',
  'UCAN_ISSUER_KEY',
  'UCAN_TOO_MANY_ANCHORS'
])

export class RevocationSync {
  readonly #deps: SyncDeps
  readonly #life = new AbortController()
  /** Peers that were met and will be asked soon. */
  readonly #planned = new Set<PeerId>()
  /** Peers that wait to be asked, with how often that failed. */
  readonly #waiting = new Map<PeerId, number>()
  readonly #asking = new Map<PeerId, Promise<void>>()
  readonly #timers = new Set<Timer>()
  /** When each peer was asked last. */
  readonly #askedAtMs = new Map<PeerId, number>()
  /** Digest of all a peer had when it had told everything: until that changes there is nothing to fetch. */
  readonly #seen = new Map<PeerId, string>()
  /** Where the pages of a peer are to go on that were too many for one sync. */
  readonly #resume = new Map<PeerId, string>()
  #leave: (() => void) | undefined
  #refreshing = false
  #asked = 0

  constructor(deps: SyncDeps) {
    this.#deps = deps
  }

  /** Asks who is connected now, and whoever comes. */
  async start(): Promise<void> {
    const { network, knowledge } = this.#deps
    this.#leave = network.onEvent(event => {
      if (event.type === 'peer-connected') this.#met(event.peer)
      if (event.type === 'peer-disconnected') {
        this.#waiting.delete(event.peer)
        knowledge.lost(event.peer)
      }
    })
    for (const { peer, connected } of await network.peers()) if (connected) this.#met(peer)
    this.#later(ROUND_MS, () => void this.#round())
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#leave?.()
    this.#life.abort(new Error('the node stops'))
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#waiting.clear()
    await Promise.all(this.#asking.values())
  }

  /** Others are trusted now than before: what was of no concern may be, so everybody is asked anew. */
  refresh(): void {
    this.#seen.clear()
    this.#resume.clear()
    if (this.#refreshing) return
    this.#refreshing = true
    this.#later(ASK_SPREAD_MS, () => {
      this.#refreshing = false
      void this.#askSome()
    })
  }

  /** Questions put to peers since the start. */
  get asked(): number {
    return this.#asked
  }

  #met(peer: PeerId): void {
    if (this.#planned.has(peer) || this.#knowsEnough()) return
    const { clock, random } = this.#deps
    const askedMs = clock.nowMs() - (this.#askedAtMs.get(peer) ?? Number.NEGATIVE_INFINITY)
    const waitMs = Math.max(0, MIN_ASK_INTERVAL_MS - askedMs) + random.below(ASK_SPREAD_MS)
    this.#planned.add(peer)
    this.#later(waitMs, () => {
      this.#planned.delete(peer)
      this.#enqueue(peer, 0)
    })
  }

  /** Others have answered lately: a peer that was just met can wait for its round. */
  #knowsEnough(): boolean {
    return this.#deps.knowledge.freshAnswers >= ENOUGH_ANSWERS
  }

  async #round(): Promise<void> {
    await this.#askSome()
    this.#forgetOld()
    if (!this.#life.signal.aborted) this.#later(ROUND_MS, () => void this.#round())
  }

  async #askSome(): Promise<void> {
    const { network } = this.#deps
    try {
      const connected = (await network.peers()).filter(info => info.connected).map(({ peer }) => peer)
      connected.sort((a, b) => (this.#askedAtMs.get(a) ?? 0) - (this.#askedAtMs.get(b) ?? 0))
      // One that answered before is always among them: it shows whether what is known is still current.
      const former = connected.find(peer => this.#deps.knowledge.answeredAtMs(peer) !== undefined)
      const chosen = new Set([...(former === undefined ? [] : [former]), ...connected])
      for (const peer of [...chosen].slice(0, PEERS_PER_ROUND)) this.#enqueue(peer, RETRY_MS.length)
    } catch (error) {
      this.#deps.log.debug('peers to ask for revocations not found', { error: errorMessage(error) })
    }
  }

  #later(ms: number, work: () => void): void {
    const timer = this.#deps.clock.setTimer(ms, () => {
      this.#timers.delete(timer)
      if (!this.#life.signal.aborted) work()
    })
    this.#timers.add(timer)
  }

  #enqueue(peer: PeerId, failures: number): void {
    if (this.#asking.has(peer) || !this.#deps.network.isConnected(peer)) return
    this.#waiting.set(peer, failures)
    this.#next()
  }

  #next(): void {
    for (const [peer, failures] of this.#waiting) {
      if (this.#asking.size >= MAX_ASKING) return
      this.#waiting.delete(peer)
      if (failures < RETRY_MS.length && this.#knowsEnough()) continue
      const asking = this.#ask(peer, failures).finally(() => {
        this.#asking.delete(peer)
        if (!this.#life.signal.aborted) this.#next()
      })
      this.#asking.set(peer, asking)
    }
  }

  async #ask(peer: PeerId, failures: number): Promise<void> {
    const { knowledge, clock, log } = this.#deps
    this.#asked++
    this.#askedAtMs.delete(peer)
    this.#askedAtMs.set(peer, clock.nowMs())
    try {
      const problem = await this.#fetchAll(peer)
      if (problem === undefined) {
        knowledge.answered(peer)
        return
      }
      log.debug('peer did not tell its revocations', { peer, reason: problem })
    } catch (error) {
      if (this.#life.signal.aborted) return
      log.debug('revocations of a peer not taken', { peer, error: errorMessage(error) })
    }
    knowledge.lost(peer)
    const wait = RETRY_MS[failures]
    if (wait !== undefined) this.#later(wait, () => this.#enqueue(peer, failures + 1))
  }

  /** Page after page; what is wrong with the peer's answers, or `undefined` when it has told everything. */
  async #fetchAll(peer: PeerId): Promise<string | undefined> {
    const { actor, registry } = this.#deps
    const have = registry.ledger.digests()
    const seen = this.#seen.get(peer)
    let after = this.#resume.get(peer) ?? ''
    let isComplete = after === ''
    for (let page = 0; page < MAX_PAGES; page++) {
      const isFirst = page === 0 && isComplete
      const request = { Have: have, After: after, ...(isFirst && seen !== undefined ? { Seen: seen } : {}) }
      const asked = await actor.invoke(rootHandleOfPeer(peer), LACKING_BEHAVIOR, request, {
        timeoutMs: ASK_TIMEOUT_MS,
        exact: true,
        signal: this.#life.signal
      })
      if (!asked.ok) return asked.error.message
      const reply = readReply(asked.value.payload)
      if (!reply.ok) return reply.error.message
      const { offers, next, digest } = reply.value
      const report = await registry.offer(offers, peer)
      if (report.refused.some(({ code }) => code === 'REVOCATION_BUSY')) return 'too much to write at once'
      if (report.refused.some(({ code }) => MAY_CHANGE.has(code))) isComplete = false
      if (next === '') {
        this.#resume.delete(peer)
        this.#seen.delete(peer)
        if (isComplete) this.#seen.set(peer, digest)
        return undefined
      }
      if (next <= after) return 'its pages lead nowhere'
      after = next
    }
    this.#resume.set(peer, after)
    return 'its pages were too many for one time'
  }

  /** Peers come and go: what is remembered of them is bounded. */
  #forgetOld(): void {
    for (const memory of [this.#askedAtMs, this.#seen, this.#resume]) {
      for (const peer of memory.keys()) {
        if (memory.size <= MAX_REMEMBERED_PEERS) break
        memory.delete(peer)
      }
    }
  }
}
