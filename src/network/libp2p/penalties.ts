/** Remembers which peers passed on rejected broadcasts; the penalty fades with time. */

import type { Clock } from '../../types/index.ts'

/** Each rejected broadcast. At -500 a peer gets no gossip, at -2500 it is not heard (runtime §1.7). */
const PENALTY = 10

/** What fades per minute: one rejected broadcast a minute goes unpunished. */
const FADE_PER_MS = PENALTY / 60_000

/** No need to go below the threshold where a peer is not heard any more. */
const MOST = 5_000

/** Peers remembered; the one longest without a new penalty is forgotten first. */
const MAX_PEERS = 1024

export class Penalties {
  readonly #clock: Clock
  readonly #peers = new Map<string, { amount: number; atMs: number }>()

  constructor(deps: { clock: Clock }) {
    this.#clock = deps.clock
  }

  add(peer: string): void {
    const amount = Math.min(this.of(peer) + PENALTY, MOST)
    this.#peers.delete(peer)
    this.#peers.set(peer, { amount, atMs: this.#clock.monotonicMs() })
    const [oldest] = this.#peers.keys()
    if (this.#peers.size > MAX_PEERS && oldest !== undefined) this.#peers.delete(oldest)
  }

  /** The penalty of a peer now, 0 or more. */
  of(peer: string): number {
    const entry = this.#peers.get(peer)
    if (entry === undefined) return 0
    const amount = entry.amount - (this.#clock.monotonicMs() - entry.atMs) * FADE_PER_MS
    if (amount > 0) return amount
    this.#peers.delete(peer)
    return 0
  }
}
