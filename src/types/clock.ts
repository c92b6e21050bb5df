import type { AbortOptions } from './abort.ts'

/** A scheduled callback. Cancelling twice, or after it ran, does nothing. */
export interface Timer {
  cancel(): void
}

/**
 * The only source of time in the program. Production passes the system clock, a simulation passes one whose
 * time moves by command, so no code below may call `Date.now`, `setTimeout` and friends.
 */
export interface Clock {
  /** Wall clock in nanoseconds since the Unix epoch: the unit of token and message expiry. */
  nowNs(): bigint
  /** Wall clock in milliseconds since the Unix epoch. */
  nowMs(): number
  /** A clock that never goes back, in milliseconds from an arbitrary start: for measuring durations. */
  monotonicMs(): number
  /** Resolves after `ms`; rejects with the signal's reason when it fires first. */
  sleep(ms: number, options?: AbortOptions): Promise<void>
  /** Runs `callback` once after `ms`. A pending timer does not keep the process alive unless `keepAlive` is set. */
  setTimer(ms: number, callback: () => void, options?: { keepAlive?: boolean }): Timer
}
