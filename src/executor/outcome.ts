/** How an end is told to the user: one wording for all executors. */

import type { ExecutionResult, ExecutionStatus } from './types.ts'

/** Exit codes of a process ended by a signal are 128 plus its number (POSIX shell convention, signal(7)). */
export const EXIT_SIGKILL = 137
export const EXIT_SIGTERM = 143

/** What ended an execution, beside its own exit. */
export type EndCause = 'exit' | 'stop' | 'signal' | 'time' | 'memory' | 'output'

/** Words of the one line for the user; exit code 0 without a cause has none. */
function describe(cause: EndCause, exitCode: number, detail: string | undefined): string {
  if (cause === 'stop') return 'stopped on request'
  if (cause === 'time') return `stopped: the time limit${detail ? ` of ${detail}` : ''} was exceeded`
  if (cause === 'memory') return `killed: the memory limit${detail ? ` of ${detail}` : ''} was exceeded`
  if (cause === 'output') return `killed: the output limit${detail ? ` of ${detail}` : ''} was exceeded`
  if (cause === 'signal') return `killed from outside (exit code ${exitCode})`
  if (detail) return detail
  return exitCode === 0 ? '' : `exited with code ${exitCode}`
}

/** Builds the result of an execution; `detail` is the limit's size, or the reason of a failed exit. */
export function resultOf(cause: EndCause, exitCode: number, detail?: string): ExecutionResult {
  const isLimit = cause === 'time' || cause === 'memory' || cause === 'output'
  return {
    exitCode,
    killed: cause !== 'exit',
    ...(isLimit ? { limit: cause } : {}),
    error: describe(cause, exitCode, detail)
  }
}

/** The answer about an execution of which nothing is left. */
export function lostResult(executionId: string): ExecutionResult {
  return {
    exitCode: -1,
    killed: false,
    error: `execution '${executionId}' is lost: neither the workload nor its outcome can be found`
  }
}

/** Status of an ended execution. */
export function statusOf(result: ExecutionResult): ExecutionStatus {
  return result.exitCode === 0 && !result.killed && result.error === '' ? 'success' : 'failed'
}
