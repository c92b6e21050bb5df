import type { AbortOptions } from './abort.ts'

/** Whoever opens, closes. The constructor does no I/O; `start` may be called twice; `stop` always completes. */
export interface Startable extends AsyncDisposable {
  start(options?: AbortOptions): Promise<void>
  stop(): Promise<void>
}
