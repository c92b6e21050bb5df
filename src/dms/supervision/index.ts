/**
 * Supervision: keeps an eye on the allocations of a running deployment and restarts what failed.
 *
 * @packageDocumentation
 */
export { MAX_RESTARTS, STATUS_POLL_MS } from './constants.ts'
export { restartPauseMs, restartSet } from './restart-policy.ts'
export { Supervisor, type SupervisorDeps, type SupervisorOptions } from './supervisor.ts'
export type { AllocationReport, WatchedAllocation } from './types.ts'
export { isOver } from './watch.ts'
