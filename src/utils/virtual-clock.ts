/** A clock whose time moves by command: the same code then runs under simulation, fast and repeatable. */

import type { AbortOptions, Clock, Timer } from '../types/index.ts'
import { type Entry, TimerHeap } from './timer-heap.ts'

/** Starts at 2026-01-01T00:00:00Z unless told otherwise. */
export const VIRTUAL_EPOCH_MS = 1_767_225_600_000

/** A `Clock` that stands still until `advance` moves it. */
export class VirtualClock implements Clock {
  #nowMs: number
  #order = 0
  readonly #startMs: number
  readonly #entries = new TimerHeap()

  constructor(startMs: number = VIRTUAL_EPOCH_MS) {
    this.#nowMs = startMs
    this.#startMs = startMs
  }

  nowMs(): number {
    return Math.floor(this.#nowMs)
  }

  nowNs(): bigint {
    return BigInt(Math.floor(this.#nowMs)) * 1_000_000n
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs
  }

  sleep(ms: number, { signal }: AbortOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = (): void => {
        timer.cancel()
        reject(signal?.reason)
      }
      const timer = this.setTimer(ms, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  setTimer(ms: number, callback: () => void): Timer {
    const entry: Entry = { dueMs: this.#nowMs + Math.max(ms, 0), order: this.#order++, callback }
    this.#entries.add(entry)
    return { cancel: () => this.#entries.remove(entry) }
  }

  /** Number of timers that wait; zero means nothing will ever happen by time alone. */
  get pendingTimers(): number {
    return this.#entries.size
  }

  /**
   * Moves time forward by `ms`, running each due callback in order of its time, and lets promises settle
   * between them.
   */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    await settle()
    for (
      let next = this.#entries.takeUntil(endMs);
      next !== undefined;
      next = this.#entries.takeUntil(endMs)
    ) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.callback()
      await settle()
    }
    this.#nowMs = endMs
  }
}

/** Lets all queued microtasks and already finished I/O callbacks run. */
async function settle(): Promise<void> {
  for (let round = 0; round < 4; round++) await new Promise<void>(resolve => setImmediate(resolve))
}
