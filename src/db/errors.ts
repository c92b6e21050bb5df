import { NuError, type NuErrorOptions } from '../utils/index.ts'

/** What went wrong between the node and its database. */
export type DatabaseErrorCode =
  /** The file is damaged or not a database. */
  | 'DB_CORRUPT'
  /** Another process owns it. */
  | 'DB_LOCKED'
  /** The disk or quota is full; the write did not happen. */
  | 'DB_FULL'
  /** A newer program wrote it. */
  | 'DB_NEWER'
  /** A record of this id exists. */
  | 'DB_DUPLICATE'
  /** The question makes no sense: unknown sort field, negative limit, asynchronous transaction. */
  | 'DB_QUERY'
  /** The file or its directory cannot be opened, read or written. */
  | 'DB_ACCESS'
  /** Used after `close`. */
  | 'DB_CLOSED'

/** The database did not do what it was asked; no half of a write remains. */
export class DatabaseError extends NuError {
  override readonly name = 'DatabaseError'
  readonly code: DatabaseErrorCode
  override readonly retryable: boolean

  constructor(code: DatabaseErrorCode, message: string, options: NuErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.retryable = code === 'DB_LOCKED' || code === 'DB_FULL'
  }
}
