import type { AbortOptions, Clock, RandomSource } from '../types/index.ts'

/** How often and how long `retry` tries. */
export interface RetryOptions extends AbortOptions {
  /** Tries in all, the first included. Default 5. */
  attempts?: number
  /** Wait before the second try; doubles each time. Default 100 ms. */
  initialDelayMs?: number
  /** Upper bound of one wait. Default 10 s. */
  maxDelayMs?: number
  /** Says whether an error is worth another try. Default: every error. */
  isRetryable?: (error: unknown) => boolean
}

/** Runs `work` until it succeeds, with exponential back-off; each wait is a random half to whole of its bound. The last error is thrown as it is. */
export async function retry<T>(
  deps: { clock: Clock; random: RandomSource },
  work: (attempt: number) => Promise<T>,
  options: RetryOptions = {}
): Promise<T> {
  const {
    attempts = 5,
    initialDelayMs = 100,
    maxDelayMs = 10_000,
    isRetryable = () => true,
    signal
  } = options
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await work(attempt)
    } catch (error) {
      if (attempt >= attempts || !isRetryable(error)) throw error
      const ceiling = Math.min(initialDelayMs * 2 ** (attempt - 1), maxDelayMs)
      await deps.clock.sleep(ceiling / 2 + deps.random.below(Math.max(1, Math.ceil(ceiling / 2))), { signal })
    }
  }
}
