import { isRecord, RowReader, toJson } from '../columns.ts'
import type { Connection, Row } from '../connection.ts'
import { DEFAULT_EVENT_LIMIT, MAX_EVENTS_PER_DEPLOYMENT } from '../constants.ts'
import { DatabaseError } from '../errors.ts'
import type { DeploymentEvent, DeploymentEventRepository } from '../types.ts'

/** The story of each deployment. Append-only, and bounded: the oldest entries of a deployment make room. */
export class SqliteEvents implements DeploymentEventRepository {
  readonly #connection: Connection
  readonly #keep: number

  constructor(connection: Connection, options: { keep?: number } = {}) {
    this.#connection = connection
    this.#keep = options.keep ?? MAX_EVENTS_PER_DEPLOYMENT
  }

  append(event: Omit<DeploymentEvent, 'sequence'>): DeploymentEvent {
    return this.#connection.transaction(() => {
      const ordinal = this.#lastOrdinal(event.deploymentId) + 1
      const { lastId } = this.#connection.run(
        'INSERT INTO deployment_events (deployment_id, ordinal, at_ms, type, data) VALUES (?, ?, ?, ?, ?)',
        event.deploymentId,
        ordinal,
        event.atMs,
        event.type,
        toJson(event.data)
      )
      this.#connection.run(
        'DELETE FROM deployment_events WHERE deployment_id = ? AND ordinal <= ?',
        event.deploymentId,
        ordinal - this.#keep
      )
      return { ...event, sequence: lastId }
    })
  }

  list(deploymentId: string, after: number, limit: number = DEFAULT_EVENT_LIMIT): DeploymentEvent[] {
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new DatabaseError('DB_QUERY', `limit '${limit}' is not a whole number from 1`)
    }
    return this.#connection
      .all(
        'SELECT * FROM deployment_events WHERE deployment_id = ? AND sequence > ? ORDER BY sequence LIMIT ?',
        deploymentId,
        after,
        limit
      )
      .map(toEvent)
  }

  #lastOrdinal(deploymentId: string): number {
    const row = this.#connection.get(
      'SELECT COALESCE(MAX(ordinal), 0) AS last FROM deployment_events WHERE deployment_id = ?',
      deploymentId
    )
    return row ? new RowReader('deployment_events', row).number('last') : 0
  }
}

function toEvent(row: Row): DeploymentEvent {
  const reader = new RowReader('deployment_events', row)
  return {
    sequence: reader.number('sequence'),
    deploymentId: reader.text('deployment_id'),
    atMs: reader.number('at_ms'),
    type: reader.text('type'),
    data: reader.jsonOf('data', isRecord)
  }
}
