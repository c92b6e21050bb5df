/**
 * How old the node's knowledge of revocations is. It is current while a connected peer has answered lately; when the
 * last one is gone it begins to age, and a person or a program can ask since when. The time is stored, so that a node
 * that was off says how long it has not heard anything rather than that it just started.
 */

import type { RevocationRepository } from '../../db/index.ts'
import type { Clock, Logger, PeerId, Timer } from '../../types/index.ts'
import { errorMessage, isoTime } from '../../utils/index.ts'
import { FRESH_MS, REMEMBER_MS, STALE_MS } from './constants.ts'

export interface KnowledgeDeps {
  records: Pick<RevocationRepository, 'currentAtMs' | 'saveCurrentAtMs'>
  clock: Clock
  log: Logger
}

export class Knowledge {
  readonly #deps: KnowledgeDeps
  /** When each connected peer answered last. */
  readonly #answers = new Map<PeerId, number>()
  #knownAsOfMs: number | undefined
  #timer: Timer | undefined
  #isWarned = false

  constructor(deps: KnowledgeDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#knownAsOfMs = this.#deps.records.currentAtMs()
    this.#look()
  }

  /** Remembers when it was last current. */
  stop(): void {
    this.#timer?.cancel()
    this.#remember()
  }

  /** A peer told all it knows. */
  answered(peer: PeerId): void {
    this.#answers.set(peer, this.#deps.clock.nowMs())
    this.#remember()
  }

  /** A peer is gone, or does not answer any more: what it learns from now on stays unknown here. */
  lost(peer: PeerId): void {
    if (!this.#answers.has(peer)) return
    this.#remember() // until now it was one to learn from
    this.#answers.delete(peer)
  }

  /** When this peer answered last, while it is connected. */
  answeredAtMs(peer: PeerId): number | undefined {
    return this.#answers.get(peer)
  }

  /** Peers whose answer counts as current. */
  get freshAnswers(): number {
    const since = this.#deps.clock.nowMs() - FRESH_MS
    return [...this.#answers.values()].filter(atMs => atMs >= since).length
  }

  get isCurrent(): boolean {
    return this.freshAnswers > 0
  }

  /** Now while it is current; absent when it never was. */
  get knownAsOfMs(): number | undefined {
    return this.isCurrent ? this.#deps.clock.nowMs() : this.#knownAsOfMs
  }

  #look(): void {
    this.#remember()
    this.#warnWhenStale()
    this.#timer = this.#deps.clock.setTimer(REMEMBER_MS, () => this.#look())
  }

  #remember(): void {
    if (!this.isCurrent) return
    const nowMs = this.#deps.clock.nowMs()
    this.#knownAsOfMs = nowMs
    this.#isWarned = false
    try {
      this.#deps.records.saveCurrentAtMs(nowMs)
    } catch (error) {
      this.#deps.log.warn('age of the knowledge of revocations not stored', { error: errorMessage(error) })
    }
  }

  #warnWhenStale(): void {
    const { clock, log } = this.#deps
    const knownAsOfMs = this.#knownAsOfMs
    if (this.#isWarned || knownAsOfMs === undefined || clock.nowMs() - knownAsOfMs < STALE_MS) return
    this.#isWarned = true
    log.warn('knowledge of revocations is old: no peer has told of new ones', {
      knownAsOf: isoTime(knownAsOfMs)
    })
  }
}
