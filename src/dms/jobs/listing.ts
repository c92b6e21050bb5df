import { isoTime } from '../../utils/index.ts'
import type { Allocation } from './allocation.ts'
import { executionOf, optionsOf, specOf } from './stored.ts'
import type { ProviderDeps } from './types.ts'

/** One entry of `/dms/node/allocations/list` (deployment §3.6). */
export interface ListedAllocation {
  readonly id: string
  readonly type: string
  readonly resources: unknown
  /** Peer id. */
  readonly orchestrator: string
  readonly status: string
  readonly executor: string
  readonly execution_id: string
  /** Host port to workload port. */
  readonly using_ports: Readonly<Record<string, number>>
  readonly created_at: string
  readonly started_at: string
}

export function listAllocation(db: ProviderDeps['db'], allocation: Allocation): ListedAllocation {
  const { record } = allocation
  const spec = specOf(record)
  return {
    id: record.id,
    type: spec.request.Type,
    resources: db.reservations.get(record.id)?.resources ?? spec.request.Resources,
    orchestrator: record.orchestrator.address.host,
    status: record.status,
    executor: spec.request.Execution.type,
    execution_id: executionOf(record)?.executionId ?? '',
    using_ports: optionsOf(record).portMapping ?? spec.portMapping,
    created_at: isoTime(record.createdAtMs),
    started_at: record.startedAtMs === undefined ? '' : isoTime(record.startedAtMs)
  }
}
