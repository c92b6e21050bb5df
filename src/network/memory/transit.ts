/** Messages on their way to one host of the in-process network. */

import type { Clock, Timer } from '../../types/index.ts'

/** More than this on the way to one host is lost, as in a real queue. */
const MAX_IN_TRANSIT = 16_384

export class Transit {
  readonly #clock: Clock
  readonly #timers = new Set<Timer>()
  #generation = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs `arrive` after the delay, unless `clear` comes first. Without delay it runs in this turn of the event loop. */
  carry(delayMs: number, arrive: () => void): void {
    const generation = this.#generation
    if (delayMs <= 0) {
      queueMicrotask(() => {
        if (generation === this.#generation) arrive()
      })
      return
    }
    if (this.#timers.size >= MAX_IN_TRANSIT) return
    const timer = this.#clock.setTimer(
      delayMs,
      () => {
        this.#timers.delete(timer)
        arrive()
      },
      { keepAlive: true }
    )
    this.#timers.add(timer)
  }

  /** Loses everything that is on the way. */
  clear(): void {
    this.#generation++
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }
}
