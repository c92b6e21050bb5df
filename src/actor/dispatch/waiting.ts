/**
 * Messages that wait until keys of their tokens' issuers were looked up. They wait beside the queue, so nobody else waits
 * for them; few at once, fewer of one peer, and not for long.
 */

import type { Clock, PeerId } from '../../types/index.ts'
import { deadline, raceSignal } from '../../utils/index.ts'
import { LOOKUP_LIMIT_MS, MAX_WAITING_FOR_KEYS, WAITING_FOR_KEYS_PER_PEER } from '../constants.ts'
import type { Arrival } from '../types.ts'

/** Looks keys up; what fails shows later, in the verdict on the tokens. */
export type LookUp = (options: { readonly signal: AbortSignal }) => Promise<void>

export class WaitingForKeys {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #waiting = new Set<Promise<void>>()
  readonly #byPeer = new Map<PeerId, number>()

  /** The signal fires when the actor stops. */
  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock
    this.#signal = signal
  }

  /** Has keys looked up and then calls `resume`, which must not throw. False when too many wait already. */
  add(arrival: Arrival, lookUp: LookUp, resume: (arrival: Arrival) => void): boolean {
    const { peer } = arrival
    const ofPeer = this.#byPeer.get(peer) ?? 0
    if (this.#waiting.size >= MAX_WAITING_FOR_KEYS || ofPeer >= WAITING_FOR_KEYS_PER_PEER) return false
    this.#byPeer.set(peer, ofPeer + 1)
    const task = this.#wait(lookUp).then(() => {
      this.#waiting.delete(task)
      const left = (this.#byPeer.get(peer) ?? 1) - 1
      if (left > 0) this.#byPeer.set(peer, left)
      else this.#byPeer.delete(peer)
      if (!this.#signal.aborted) resume(arrival)
    })
    this.#waiting.add(task)
    return true
  }

  /** Resolves when nothing waits any more; the signal must have fired before. */
  async stopped(): Promise<void> {
    await Promise.all(this.#waiting)
  }

  async #wait(lookUp: LookUp): Promise<void> {
    using limit = deadline(this.#clock, LOOKUP_LIMIT_MS, 'looking up keys', this.#signal)
    // Late keys are for the next message: this one is judged by what is known.
    await raceSignal(lookUp(limit), limit.signal).catch(() => undefined)
  }
}
