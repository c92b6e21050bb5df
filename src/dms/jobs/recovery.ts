/** What a start finds of an earlier run and belongs to nobody: reservations and executions without a record. */

import type { Logger } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import { executionOf } from './stored.ts'
import type { ProviderDeps } from './types.ts'

type Deps = Pick<ProviderDeps, 'db' | 'resources' | 'executors'> & { readonly log: Logger }

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
export async function removeOrphanExecutions({ db, executors, log }: Deps): Promise<void> {
  for (const [type, executor] of executors) {
    try {
      const present = await executor.list()
      // Read after the list: what was started in between is then known.
      const known = new Set(db.allocations.list().map(record => executionOf(record)?.executionId))
      for (const executionId of present.filter(id => !known.has(id))) {
        log.warn('execution without an allocation removed', { executor: type, executionId })
        await executor.remove({
          executor: executor.type,
          executionId,
          jobId: '',
          resultsDirectory: '',
          state: {}
        })
      }
    } catch (error) {
      log.warn('executions not looked through', { executor: type, reason: errorMessage(error) })
    }
  }
}
