/** What the daemon, the runner process and its worker tell each other. Loaded in all three: keep it small. */

import type { EndCause } from '../outcome.ts'

/** File descriptors the runner inherits. 1 and 2 are its own diagnostics, so that no warning of Node gets into a workload's log. */
export const FD_GATE = 0
export const FD_STDOUT = 3
export const FD_STDERR = 4
export const FD_OUTCOME = 5
export const FD_CONFIG = 6
export const FD_MODULE = 7

/** Sent through the gate when the workload may run. A gate that closes without it means that the daemon died before. */
export const GO = 'go'

/** Settings of one run, written by the daemon and read by the runner. */
export interface RunnerConfig {
  readonly executionId: string
  /** The module's arguments, its name first. */
  readonly args: readonly string[]
  readonly environment: readonly string[]
  readonly stdin: string
  readonly timeLimitMs?: number
  readonly memoryBytes: number
  /** Bound of each output stream. */
  readonly maxLogBytes: number
}

/** How a run ended, as the runner writes it to the outcome file: one line of JSON. */
export interface RunnerOutcome {
  readonly cause: EndCause
  readonly exitCode: number
  readonly detail?: string
}
