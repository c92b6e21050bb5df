import type { Clock } from '../types/index.ts'
import { TimeLimitError } from './error.ts'

/** A signal that fires after a time or with its parent, and must be disposed so that no timer is left. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal
}

/**
 * A deadline on the injected clock. Fires with a `TimeLimitError` that names `what` after `ms`, or with the
 * parent's reason when that fires first.
 */
export function deadline(clock: Clock, ms: number, what: string, parent?: AbortSignal): Deadline {
  const controller = new AbortController()
  const timer = clock.setTimer(ms, () =>
    controller.abort(new TimeLimitError(`${what} took longer than ${ms} ms`))
  )
  const onParent = () => controller.abort(parent?.reason)
  if (parent?.aborted) onParent()
  else parent?.addEventListener('abort', onParent, { once: true })
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      timer.cancel()
      parent?.removeEventListener('abort', onParent)
    }
  }
}

/** Settles like `promise`, or rejects with the signal's reason when that fires first. The work itself is not stopped. */
export async function raceSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise
  if (signal.aborted) {
    promise.catch(() => undefined) // nobody will look at it any more
    throw signal.reason
  }
  let onAbort = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
  })
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
