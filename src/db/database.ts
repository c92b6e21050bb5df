import type { Clock, Logger } from '../types/index.ts'
import type { Connection } from './connection.ts'
import { migrate } from './migrate.ts'
import { MIGRATIONS } from './migrations/index.ts'
import { openConnection } from './open-file.ts'
import { SqliteAllocations } from './repositories/allocations.ts'
import { SqliteDeployments } from './repositories/deployments.ts'
import { SqliteEvents } from './repositories/events.ts'
import { SqliteOnboarding } from './repositories/onboarding.ts'
import { SqliteReservations } from './repositories/reservations.ts'
import { SqliteRevocations } from './repositories/revocations.ts'
import type { Database } from './types.ts'

/** What the database needs from outside. */
export interface DatabaseDeps {
  readonly clock: Clock
  readonly log: Logger
}

/** Where the database lives. */
export interface DatabaseOptions {
  /** File path; `:memory:` for one that is gone when it is closed. */
  readonly path: string
}

/**
 * Opens the database, makes it when it is missing, and brings its schema up to date. One process at a time may
 * own a file; the lock ends with the process, also when it is killed.
 *
 * @throws DatabaseError `DB_LOCKED`, `DB_CORRUPT`, `DB_NEWER`, `DB_FULL` or `DB_ACCESS`
 */
export function openDatabase(deps: DatabaseDeps, options: DatabaseOptions): Database {
  const connection = openConnection(options.path)
  try {
    migrate(deps, connection, MIGRATIONS)
    return assemble(connection)
  } catch (error) {
    connection.close()
    throw error
  }
}

function assemble(connection: Connection): Database {
  return {
    onboarding: new SqliteOnboarding(connection),
    reservations: new SqliteReservations(connection),
    allocations: new SqliteAllocations(connection),
    deployments: new SqliteDeployments(connection),
    events: new SqliteEvents(connection),
    revocations: new SqliteRevocations(connection),
    transaction: work => connection.transaction(work),
    close: () => connection.close(),
    [Symbol.dispose]: () => connection.close()
  }
}
