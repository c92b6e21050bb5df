/** The life of a deployment as a table of legal transitions (deployment §2.3). */

import type { DeploymentStatus } from '../../db/index.ts'
import { NuError } from '../../utils/index.ts'

/** From each status, where it may go. Staying is always legal, so that a restart can repeat its step. */
export const TRANSITIONS: Readonly<Record<DeploymentStatus, readonly DeploymentStatus[]>> = {
  Preparing: ['Generating', 'Committing', 'Failed', 'ShuttingDown'],
  Generating: ['Preparing', 'Committing', 'Failed', 'ShuttingDown'],
  Committing: ['Preparing', 'Provisioning', 'Failed', 'ShuttingDown'],
  Provisioning: ['Preparing', 'Running', 'Failed', 'ShuttingDown'],
  Running: ['Updating', 'ShuttingDown', 'Completed', 'Failed'],
  Updating: ['Running', 'ShuttingDown', 'Failed'],
  ShuttingDown: ['Completed', 'Failed'],
  Failed: [],
  Completed: []
}

/** Statuses in which a deployment holds, or may hold, something at providers. */
export const ACTIVE_STATUSES: readonly DeploymentStatus[] = [
  'Preparing',
  'Generating',
  'Committing',
  'Provisioning',
  'Running',
  'Updating',
  'ShuttingDown'
]

/** A step that the table does not allow: a fault of the program, named with both ends. */
export class IllegalTransitionError extends NuError {
  override readonly name = 'IllegalTransitionError'
  readonly code = 'DEPLOYMENT_TRANSITION'
}

/** Whether a deployment of this status is not over yet. */
export function isActive(status: DeploymentStatus): boolean {
  return ACTIVE_STATUSES.includes(status)
}

/** @throws IllegalTransitionError */
export function checkTransition(from: DeploymentStatus, to: DeploymentStatus): void {
  if (from === to || TRANSITIONS[from].includes(to)) return
  throw new IllegalTransitionError(`a deployment cannot go from '${from}' to '${to}'`, {
    details: { from, to }
  })
}
