import { isHandle, present, RowReader, toJson } from '../columns.ts'
import type { Connection, Row } from '../connection.ts'
import type { AllocationRecord, AllocationRepository, AllocationStatus } from '../types.ts'

const STATUSES: readonly AllocationStatus[] = [
  'pending',
  'starting',
  'running',
  'restarting',
  'stopped',
  'completed',
  'failed',
  'terminated',
  'standby'
]

/** Allocations that live, or lived, on this machine. */
export class SqliteAllocations implements AllocationRepository {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  get(id: string): AllocationRecord | undefined {
    const row = this.#connection.get('SELECT * FROM allocations WHERE id = ?', id)
    return row && toRecord(row)
  }

  list(): AllocationRecord[] {
    return this.#connection.all('SELECT * FROM allocations ORDER BY created_at_ms, id').map(toRecord)
  }

  listByEnsemble(ensembleId: string): AllocationRecord[] {
    return this.#connection
      .all('SELECT * FROM allocations WHERE ensemble_id = ? ORDER BY created_at_ms, id', ensembleId)
      .map(toRecord)
  }

  save(record: AllocationRecord): void {
    this.#connection.run(
      `INSERT OR REPLACE INTO allocations (id, ensemble_id, node_id, orchestrator, status, spec, start_options,
        actor_key, execution, result, termination_reported, created_at_ms, updated_at_ms, started_at_ms, ended_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      record.id,
      record.ensembleId,
      record.nodeId,
      toJson(record.orchestrator),
      record.status,
      toJson(record.spec),
      toJson(record.startOptions),
      record.actorKey,
      toJson(record.execution),
      toJson(record.result),
      record.terminationReported ? 1 : 0,
      record.createdAtMs,
      record.updatedAtMs,
      record.startedAtMs ?? null,
      record.endedAtMs ?? null
    )
  }

  delete(id: string): boolean {
    return this.#connection.run('DELETE FROM allocations WHERE id = ?', id).changes > 0
  }
}

function toRecord(row: Row): AllocationRecord {
  const reader = new RowReader('allocations', row)
  return {
    id: reader.text('id'),
    ensembleId: reader.text('ensemble_id'),
    nodeId: reader.text('node_id'),
    orchestrator: reader.jsonOf('orchestrator', isHandle),
    status: reader.oneOf('status', STATUSES),
    spec: reader.json('spec'),
    ...present('startOptions', reader.json('start_options')),
    actorKey: reader.bytes('actor_key'),
    ...present('execution', reader.json('execution')),
    ...present('result', reader.json('result')),
    terminationReported: reader.boolean('termination_reported'),
    createdAtMs: reader.number('created_at_ms'),
    updatedAtMs: reader.number('updated_at_ms'),
    ...present('startedAtMs', reader.optionalNumber('started_at_ms')),
    ...present('endedAtMs', reader.optionalNumber('ended_at_ms'))
  }
}
