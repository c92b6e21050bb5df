/** What a start finds of an earlier run and belongs to nobody: reservations and executions without a record. */

import type { Clock, Logger } from '../../types/index.ts'
import { deadline, errorMessage } from '../../utils/index.ts'
import { LIST_LIMIT_MS } from './constants.ts'
import { allocationOfExecution } from './ids.ts'
import { executionOf } from './stored.ts'
import type { ProviderDeps } from './types.ts'

type Deps = Pick<ProviderDeps, 'db' | 'resources' | 'executors'> & {
  readonly clock: Clock
  readonly log: Logger
}

/** Gives back allocated reservations whose allocation is not in the database, and expired commits. */
export function releaseOrphanReservations({ db, resources, log }: Deps): void {
  resources.sweep()
  for (const { allocationId, state } of db.reservations.list()) {
    if (state !== 'allocated' || db.allocations.get(allocationId)) continue
    log.warn('reservation without an allocation released', { allocationId })
    resources.release(allocationId)
  }
}

/** Removes executions of this node that no record knows. An executor that does not answer is left for the next time. */
export async function removeOrphanExecutions({ db, executors, clock, log }: Deps): Promise<void> {
  for (const [type, executor] of executors) {
    try {
      using limit = deadline(clock, LIST_LIMIT_MS, `listing executions of '${type}'`)
      const present = await executor.list({ signal: limit.signal })
      // Read after the list: what was started in between is then known.
      const known = new Set(db.allocations.list().map(record => executionOf(record)?.executionId))
      for (const executionId of present.filter(id => !known.has(id))) {
        log.warn('execution without an allocation removed', { executor: type, executionId })
        await executor.remove({
          executor: executor.type,
          executionId,
          jobId: allocationOfExecution(executionId),
          resultsDirectory: '',
          state: {}
        })
      }
    } catch (error) {
      log.warn('executions not looked through', { executor: type, reason: errorMessage(error) })
    }
  }
}
