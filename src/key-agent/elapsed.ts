import type { Clock } from '../types/index.ts'

/**
 * Time that has passed since it was made, whichever clock saw more of it. The monotonic clock of Linux stands still
 * while the machine sleeps, and a key must not survive a night in a closed laptop; the wall clock may be set back.
 */
export class Elapsed {
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>
  readonly #wallMs: number
  readonly #monotonicMs: number

  constructor(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>) {
    this.#clock = clock
    this.#wallMs = clock.nowMs()
    this.#monotonicMs = clock.monotonicMs()
  }

  get ms(): number {
    return Math.max(this.#clock.monotonicMs() - this.#monotonicMs, this.#clock.nowMs() - this.#wallMs)
  }
}
