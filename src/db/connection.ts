import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import { MAX_CACHED_STATEMENTS } from './constants.ts'
import { DatabaseError } from './errors.ts'
import { closedError, databaseError } from './sqlite-errors.ts'

/** One row as SQLite returns it. */
export type Row = Readonly<Record<string, SQLOutputValue>>

/** What a statement may be given. */
export type SqlValue = SQLInputValue

/** The open SQLite handle: prepared statements kept, transactions that nest, errors translated. */
export class Connection {
  readonly path: string
  readonly #handle: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #depth = 0

  constructor(handle: DatabaseSync, path: string) {
    this.#handle = handle
    this.path = path
  }

  /** Runs statements without parameters, for example a migration. */
  exec(sql: string): void {
    this.#guard(() => this.#handle.exec(sql))
  }

  /** Number of rows changed, and the row id of the last insert. */
  run(sql: string, ...values: SqlValue[]): { changes: number; lastId: number } {
    const result = this.#guard(() => this.#prepare(sql).run(...values))
    return { changes: Number(result.changes), lastId: Number(result.lastInsertRowid) }
  }

  get(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#guard(() => this.#prepare(sql).get(...values))
  }

  all(sql: string, ...values: SqlValue[]): Row[] {
    return this.#guard(() => this.#prepare(sql).all(...values))
  }

  /**
   * Runs `work` in a transaction. Inside another one it becomes a savepoint: when it throws, its own writes are
   * undone even if the outer work catches the error and goes on.
   */
  transaction<T>(work: () => T): T {
    const level = this.#depth
    // IMMEDIATE: a transaction that starts as a reader could fail half-way when it wants to write.
    this.exec(level === 0 ? 'BEGIN IMMEDIATE' : `SAVEPOINT nested_${level}`)
    this.#depth = level + 1
    try {
      const value = refusePromise(work())
      this.exec(level === 0 ? 'COMMIT' : `RELEASE nested_${level}`)
      return value
    } catch (error) {
      this.#rollback(level)
      throw error
    } finally {
      this.#depth = level
    }
  }

  close(): void {
    this.#statements.clear()
    if (this.#handle.isOpen) this.#handle.close()
  }

  #rollback(level: number): void {
    // SQLite itself ends the transaction on some errors, a full disk for instance.
    if (!this.#handle.isOpen || !this.#handle.isTransaction) return
    this.exec(level === 0 ? 'ROLLBACK' : `ROLLBACK TO nested_${level}; RELEASE nested_${level}`)
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) {
      this.#statements.delete(sql) // moves it to the end, so that the oldest is first
      this.#statements.set(sql, known)
      return known
    }
    const statement = this.#handle.prepare(sql)
    this.#statements.set(sql, statement)
    const oldest = this.#statements.keys().next().value
    if (this.#statements.size > MAX_CACHED_STATEMENTS && oldest !== undefined) this.#statements.delete(oldest)
    return statement
  }

  #guard<T>(action: () => T): T {
    if (!this.#handle.isOpen) throw closedError(this.path)
    try {
      return action()
    } catch (cause) {
      throw databaseError(this.path, cause)
    }
  }
}

/** A transaction is over when `work` returns; what a promise does later would happen outside of it. */
function refusePromise<T>(value: T): T {
  if (typeof value === 'object' && value !== null && 'then' in value) {
    throw new DatabaseError('DB_QUERY', 'the work of a transaction must not be asynchronous')
  }
  return value
}
