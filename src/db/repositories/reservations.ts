import { isNumberList, isResources, RowReader, toJson } from '../columns.ts'
import type { Connection, Row, SqlValue } from '../connection.ts'
import { DatabaseError } from '../errors.ts'
import type { ReservationRecord, ReservationRepository } from '../types.ts'

/** Claims on the free pool. */
export class SqliteReservations implements ReservationRepository {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  get(allocationId: string): ReservationRecord | undefined {
    const row = this.#connection.get('SELECT * FROM reservations WHERE allocation_id = ?', allocationId)
    return row && toRecord(row)
  }

  list(): ReservationRecord[] {
    return this.#connection
      .all('SELECT * FROM reservations ORDER BY created_at_ms, allocation_id')
      .map(toRecord)
  }

  listByEnsemble(ensembleId: string): ReservationRecord[] {
    return this.#connection
      .all(
        'SELECT * FROM reservations WHERE ensemble_id = ? ORDER BY created_at_ms, allocation_id',
        ensembleId
      )
      .map(toRecord)
  }

  insert(records: readonly ReservationRecord[]): void {
    this.#connection.transaction(() => {
      for (const record of records) this.#insertOne(record)
    })
  }

  update(record: ReservationRecord): void {
    const { changes } = this.#connection.run(
      `UPDATE reservations SET ensemble_id = ?2, node_id = ?3, owner = ?4, state = ?5, resources = ?6, ports = ?7,
        created_at_ms = ?8, expires_at_ms = ?9 WHERE allocation_id = ?1`,
      ...toColumns(record)
    )
    if (changes === 0) {
      throw new DatabaseError('DB_QUERY', `there is no reservation '${record.allocationId}' to update`)
    }
  }

  delete(allocationId: string): boolean {
    return this.#connection.run('DELETE FROM reservations WHERE allocation_id = ?', allocationId).changes > 0
  }

  #insertOne(record: ReservationRecord): void {
    try {
      this.#connection.run(
        `INSERT INTO reservations (allocation_id, ensemble_id, node_id, owner, state, resources, ports,
          created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...toColumns(record)
      )
    } catch (cause) {
      if (!(cause instanceof DatabaseError) || cause.code !== 'DB_DUPLICATE') throw cause
      throw new DatabaseError(
        'DB_DUPLICATE',
        `allocation '${record.allocationId}' has a reservation already`,
        {
          cause,
          details: { allocationId: record.allocationId }
        }
      )
    }
  }
}

function toColumns(record: ReservationRecord): SqlValue[] {
  return [
    record.allocationId,
    record.ensembleId,
    record.nodeId,
    record.owner,
    record.state,
    toJson(record.resources),
    toJson(record.ports),
    record.createdAtMs,
    record.expiresAtMs ?? null
  ]
}

function toRecord(row: Row): ReservationRecord {
  const reader = new RowReader('reservations', row)
  const expiresAtMs = reader.optionalNumber('expires_at_ms')
  return {
    allocationId: reader.text('allocation_id'),
    ensembleId: reader.text('ensemble_id'),
    nodeId: reader.text('node_id'),
    owner: reader.text('owner'),
    state: reader.oneOf('state', ['committed', 'allocated']),
    resources: reader.jsonOf('resources', isResources),
    ports: reader.jsonOf('ports', isNumberList),
    createdAtMs: reader.number('created_at_ms'),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs })
  }
}
