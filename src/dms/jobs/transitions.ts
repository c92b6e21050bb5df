/** Life of an allocation as a table (deployment §3.4). What is not listed cannot happen. */

import type { AllocationStatus } from '../../db/index.ts'
import { JobsError } from './errors.ts'

const LEGAL: Readonly<Record<AllocationStatus, readonly AllocationStatus[]>> = {
  pending: ['starting', 'terminated'],
  standby: ['starting', 'terminated'],
  starting: ['running', 'completed', 'failed', 'terminated'],
  running: ['restarting', 'completed', 'failed', 'stopped', 'terminated'],
  restarting: ['running', 'completed', 'failed', 'terminated'],
  stopped: ['starting', 'restarting', 'terminated'],
  // A service that ended may be started again, and its place is given back at shutdown.
  completed: ['restarting', 'terminated'],
  failed: ['starting', 'restarting', 'terminated'],
  terminated: []
}

export function isLegalTransition(from: AllocationStatus, to: AllocationStatus): boolean {
  return LEGAL[from].includes(to)
}

/** @throws JobsError `JOBS_ILLEGAL_TRANSITION` with both states. */
export function assertTransition(id: string, from: AllocationStatus, to: AllocationStatus): void {
  if (isLegalTransition(from, to)) return
  throw new JobsError('JOBS_ILLEGAL_TRANSITION', `allocation '${id}' cannot go from '${from}' to '${to}'`, {
    details: { id, from, to }
  })
}

/** Nothing runs and nothing is about to. */
export function isEnded(status: AllocationStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'stopped' || status === 'terminated'
}

/** An execution exists, or is being made. */
export function isActive(status: AllocationStatus): boolean {
  return status === 'starting' || status === 'running' || status === 'restarting'
}
