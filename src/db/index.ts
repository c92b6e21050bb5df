/**
 * What a node remembers over restarts, in one SQLite file that one process owns.
 *
 * @example
 * ```ts
 * using db = openDatabase({ clock, log }, { path: '/home/me/.nunet/db/dms.sqlite' })
 * db.transaction(() => {
 *   db.reservations.insert(reservations)
 *   db.events.append({ deploymentId, atMs: clock.nowMs(), type: 'commit', data: {} })
 * })
 * ```
 *
 * @packageDocumentation
 */
export { DEFAULT_EVENT_LIMIT, MAX_EVENTS_PER_DEPLOYMENT } from './constants.ts'
export { type DatabaseDeps, type DatabaseOptions, openDatabase } from './database.ts'
export { DatabaseError, type DatabaseErrorCode } from './errors.ts'
export type {
  AllocationRecord,
  AllocationRepository,
  AllocationStatus,
  Database,
  DeploymentEvent,
  DeploymentEventRepository,
  DeploymentQuery,
  DeploymentRecord,
  DeploymentRepository,
  DeploymentStatus,
  OnboardingRecord,
  OnboardingRepository,
  ReservationRecord,
  ReservationRepository,
  RevocationRecord,
  RevocationRepository
} from './types.ts'
