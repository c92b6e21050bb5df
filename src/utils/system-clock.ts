/** The real clock. One of the few files that may touch the time functions of the platform (see the architecture test). */

import type { AbortOptions, Clock, Timer } from '../types/index.ts'

/** Longest delay of `setTimeout`; longer ones are cut into pieces (Node fires at once above 2^31 - 1 ms). */
const LONGEST_DELAY_MS = 2_147_483_647

function schedule(ms: number, callback: () => void, keepAlive: boolean): Timer {
  let handle: NodeJS.Timeout
  const arm = (rest: number): void => {
    const step = Math.min(Math.max(rest, 0), LONGEST_DELAY_MS)
    handle = setTimeout(() => (rest > step ? arm(rest - step) : callback()), step)
    if (!keepAlive) handle.unref()
  }
  arm(ms)
  return { cancel: () => clearTimeout(handle) }
}

/** The system clock of this machine. */
export const systemClock: Clock = {
  nowNs: () => BigInt(Date.now()) * 1_000_000n,
  nowMs: () => Date.now(),
  // Not `performance.now()`: the first use of that global loads a module, which a short command can do without.
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  sleep(ms: number, { signal }: AbortOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const timer = schedule(
        ms,
        () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
        true
      )
      const onAbort = (): void => {
        timer.cancel()
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  },
  setTimer: (ms, callback, options) => schedule(ms, callback, options?.keepAlive ?? false)
}
