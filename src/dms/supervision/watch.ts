/** What supervision remembers of one allocation, and what its states mean. */

import type { AllocationReport, WatchedAllocation } from './types.ts'

export interface Watch {
  readonly allocation: WatchedAllocation
  report: AllocationReport
  silentPolls: number
  failedChecks: number
  /** Since it last ran for long. */
  restarts: number
  /** On the monotonic clock; `undefined` before the first. */
  restartedAtMs: number | undefined
  restarting: boolean
  /** Nothing is asked or done any more. */
  ended: boolean
}

export function createWatch(allocation: WatchedAllocation, status: string): Watch {
  return {
    allocation,
    // An end that was stored may not have been acted upon yet: the first answer counts as news.
    report: { status: isOver(status) ? 'unknown' : status, exitCode: undefined, reason: '' },
    silentPolls: 0,
    failedChecks: 0,
    restarts: 0,
    restartedAtMs: undefined,
    restarting: false,
    ended: isEnded(status, allocation)
  }
}

/** A task is over for good; a service that failed may come back, and one that left by itself has failed. */
export function isEnded(
  status: string,
  allocation: { readonly type: string; readonly recovery: string }
): boolean {
  if (status === 'terminated') return true
  if (allocation.type === 'task') return isOver(status)
  return (status === 'failed' || status === 'completed') && allocation.recovery === 'stay_down'
}

/** Whether a status carries an exit code. */
export function isOver(status: string): boolean {
  return status === 'completed' || status === 'failed' || status === 'terminated' || status === 'stopped'
}
