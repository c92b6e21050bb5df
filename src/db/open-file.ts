/** Opens the SQLite file: permissions, settings, the exclusive lock, the check for damage. */

import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { errorCode, fileError } from '../utils/index.ts'
import { Connection } from './connection.ts'
import { CHECK_LIMIT_BYTES, LOCK_WAIT_MS, WAL_LIMIT_BYTES } from './constants.ts'
import { DatabaseError } from './errors.ts'
import { databaseError } from './sqlite-errors.ts'

/** Path that means a database in memory, gone when it is closed. */
export const IN_MEMORY = ':memory:'

/** A connection that alone owns the file, or `DatabaseError`. Nothing stays open when it throws. */
export function openConnection(path: string): Connection {
  if (path !== IN_MEMORY) prepareFile(path)
  const handle = openHandle(path)
  try {
    configure(handle, path)
    return new Connection(handle, path)
  } catch (cause) {
    handle.close()
    throw databaseError(path, cause)
  }
}

function openHandle(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, {
      timeout: LOCK_WAIT_MS,
      enableForeignKeyConstraints: true,
      defensive: true
    })
  } catch (cause) {
    throw databaseError(path, cause)
  }
}

/**
 * The database holds secret keys: only its owner may read it. SQLite gives the write-ahead log the mode of the
 * main file.
 * NOTE: never open and close an existing database file here. On POSIX that drops the locks this process holds
 * on it (sqlite.org/howtocorrupt.html §2.2).
 */
function prepareFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    createPrivateFile(path)
    chmodSync(path, 0o600)
  } catch (cause) {
    const error = fileError('open', path, cause)
    throw new DatabaseError('DB_ACCESS', error.message, {
      cause,
      ...(error.hint ? { hint: error.hint } : {})
    })
  }
}

function createPrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (cause) {
    if (errorCode(cause) !== 'EEXIST') throw cause
  }
}

function configure(handle: DatabaseSync, path: string): void {
  // Exclusive before the first access: the kernel then holds the file lock until this process closes it or dies,
  // however it dies, and the log needs no shared memory (sqlite.org/wal.html §8).
  handle.exec(`
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES};
    PRAGMA trusted_schema = OFF;
    BEGIN IMMEDIATE;
    COMMIT;
  `)
  if (path !== IN_MEMORY && statSync(path).size <= CHECK_LIMIT_BYTES) checkPages(handle, path)
}

function checkPages(handle: DatabaseSync, path: string): void {
  const [found] = Object.values(handle.prepare('PRAGMA quick_check(1)').get() ?? {})
  if (found === 'ok') return
  throw new DatabaseError('DB_CORRUPT', `cannot use the database '${path}': the file is damaged`, {
    hint: `restore '${path}' from a backup, or move it away to start with an empty database`,
    details: { path, check: String(found).slice(0, 200) }
  })
}
