/** Turns what SQLite throws into a `DatabaseError` that says what to do. */

import { errorCode, errorMessage } from '../utils/index.ts'
import { DatabaseError, type DatabaseErrorCode } from './errors.ts'

interface Meaning {
  readonly code: DatabaseErrorCode
  readonly reason: string
  readonly hint: (path: string) => string
}

const LOCKED: Meaning = {
  code: 'DB_LOCKED',
  reason: 'another process uses it',
  hint: () =>
    "stop the other node ('nunet run') of this user directory, or give this one its own with --user-dir"
}

const CORRUPT: Meaning = {
  code: 'DB_CORRUPT',
  reason: 'the file is damaged',
  hint: path => `restore '${path}' from a backup, or move it away to start with an empty database`
}

const ACCESS: Meaning = {
  code: 'DB_ACCESS',
  reason: 'it cannot be opened or written',
  hint: path => `check the owner and the permissions of '${path}' and of its directory`
}

/** By primary result code, the low byte of what SQLite reports (sqlite.org/rescode.html). */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  3: ACCESS, // SQLITE_PERM
  5: LOCKED, // SQLITE_BUSY
  6: LOCKED, // SQLITE_LOCKED
  8: ACCESS, // SQLITE_READONLY
  10: { ...ACCESS, reason: 'reading or writing it failed' }, // SQLITE_IOERR
  11: CORRUPT, // SQLITE_CORRUPT
  13: {
    code: 'DB_FULL',
    reason: 'the disk is full',
    hint: () => 'free some space; nothing was half-written'
  }, // SQLITE_FULL
  14: ACCESS, // SQLITE_CANTOPEN
  26: { ...CORRUPT, reason: 'the file is not a database' } // SQLITE_NOTADB
}

/** SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE and SQLITE_CONSTRAINT_ROWID. */
const DUPLICATE_CODES: ReadonlySet<number> = new Set([1555, 2067, 2579])

/** The `DatabaseError` for `cause`; one that already is such an error passes through. */
export function databaseError(path: string, cause: unknown): Error {
  if (cause instanceof DatabaseError) return cause
  const result = sqliteResult(cause)
  if (result !== undefined && DUPLICATE_CODES.has(result)) {
    return new DatabaseError('DB_DUPLICATE', 'a record of this id exists already', { cause })
  }
  const meaning = result === undefined ? undefined : MEANINGS[result & 0xff]
  if (meaning) {
    return new DatabaseError(meaning.code, `cannot use the database '${path}': ${meaning.reason}`, {
      cause,
      hint: meaning.hint(path),
      details: { path, sqlite: result }
    })
  }
  if (errorCode(cause) === 'ERR_INVALID_STATE') return closedError(path, cause)
  return new DatabaseError('DB_QUERY', `the database refused a statement: ${errorMessage(cause)}`, { cause })
}

export function closedError(path: string, cause?: unknown): DatabaseError {
  return new DatabaseError('DB_CLOSED', `the database '${path}' is closed`, { cause })
}

/** A row holds what this program never writes. */
export function corruptRow(table: string, column: string, cause?: unknown): DatabaseError {
  return new DatabaseError('DB_CORRUPT', `column '${column}' of table '${table}' holds an unreadable value`, {
    cause,
    hint: 'restore the database from a backup, or move it away to start with an empty one',
    details: { table, column }
  })
}

/** The extended result code of SQLite, if `cause` is an error of it. */
function sqliteResult(cause: unknown): number | undefined {
  if (typeof cause !== 'object' || cause === null || !('errcode' in cause)) return undefined
  return typeof cause.errcode === 'number' ? cause.errcode : undefined
}
