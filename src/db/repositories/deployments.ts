import { isRefusal, isTextRecord, present, RowReader, toJson } from '../columns.ts'
import type { Connection, Row } from '../connection.ts'
import { buildDeploymentQuery, DEPLOYMENT_STATUSES } from '../deployment-query.ts'
import type { DeploymentQuery, DeploymentRecord, DeploymentRepository } from '../types.ts'

/** Deployments this node orchestrates or orchestrated. */
export class SqliteDeployments implements DeploymentRepository {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  get(id: string): DeploymentRecord | undefined {
    const row = this.#connection.get('SELECT * FROM deployments WHERE id = ?', id)
    return row && toRecord(row)
  }

  find(query: DeploymentQuery): { records: DeploymentRecord[]; total: number } {
    const { where, order, values, limit, offset } = buildDeploymentQuery(query)
    const count = this.#connection.get(`SELECT COUNT(*) AS total FROM deployments ${where}`, ...values)
    const rows = this.#connection.all(
      `SELECT * FROM deployments ${where} ${order} LIMIT ? OFFSET ?`,
      ...values,
      limit,
      offset
    )
    return {
      records: rows.map(toRecord),
      total: count ? new RowReader('deployments', count).number('total') : 0
    }
  }

  save(record: DeploymentRecord): void {
    this.#connection.run(
      `INSERT OR REPLACE INTO deployments (id, status, ensemble, manifest, actor_key, requested_by, metadata, error,
        deadline_ms, created_at_ms, updated_at_ms, completed_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      record.id,
      record.status,
      toJson(record.ensemble),
      toJson(record.manifest),
      record.actorKey,
      record.requestedBy,
      toJson(record.metadata),
      toJson(record.error),
      record.deadlineMs,
      record.createdAtMs,
      record.updatedAtMs,
      record.completedAtMs ?? null
    )
  }

  delete(id: string): boolean {
    return this.#connection.transaction(() => {
      this.#connection.run('DELETE FROM deployment_events WHERE deployment_id = ?', id)
      return this.#connection.run('DELETE FROM deployments WHERE id = ?', id).changes > 0
    })
  }
}

function toRecord(row: Row): DeploymentRecord {
  const reader = new RowReader('deployments', row)
  return {
    id: reader.text('id'),
    status: reader.oneOf('status', DEPLOYMENT_STATUSES),
    ensemble: reader.json('ensemble'),
    ...present('manifest', reader.json('manifest')),
    actorKey: reader.bytes('actor_key'),
    requestedBy: reader.text('requested_by'),
    metadata: reader.jsonOf('metadata', isTextRecord),
    ...present('error', reader.optionalJsonOf('error', isRefusal)),
    deadlineMs: reader.number('deadline_ms'),
    createdAtMs: reader.number('created_at_ms'),
    updatedAtMs: reader.number('updated_at_ms'),
    ...present('completedAtMs', reader.optionalNumber('completed_at_ms'))
  }
}
