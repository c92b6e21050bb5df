import type { Clock, Logger } from '../types/index.ts'
import { RowReader } from './columns.ts'
import type { Connection } from './connection.ts'
import { DatabaseError } from './errors.ts'
import type { Migration } from './migrations/index.ts'

/**
 * Brings the schema up to date, each step in a transaction of its own together with its version row: after a
 * crash the file stands at a whole step. Forward only.
 * @throws DatabaseError `DB_NEWER` when a newer program wrote the file.
 */
export function migrate(
  deps: { clock: Clock; log: Logger },
  connection: Connection,
  migrations: readonly Migration[]
): void {
  connection.exec(
    `CREATE TABLE IF NOT EXISTS schema_version (
      version INTEGER PRIMARY KEY,
      title TEXT NOT NULL,
      applied_at_ms INTEGER NOT NULL
    ) STRICT`
  )
  const present = currentVersion(connection)
  const newest = migrations.at(-1)?.version ?? 0
  if (present > newest) {
    throw new DatabaseError(
      'DB_NEWER',
      `the database '${connection.path}' has schema ${present}, this program knows up to ${newest}`,
      { hint: 'run the newer program that wrote it, or choose another user directory with --user-dir' }
    )
  }
  for (const step of migrations.slice(present)) {
    connection.transaction(() => {
      connection.exec(step.sql)
      connection.run(
        'INSERT INTO schema_version VALUES (?, ?, ?)',
        step.version,
        step.title,
        deps.clock.nowMs()
      )
    })
    deps.log.info('database schema applied', { version: step.version, title: step.title })
  }
}

/** The newest step that was applied; 0 for an empty database. */
export function currentVersion(connection: Connection): number {
  const row = connection.get('SELECT COALESCE(MAX(version), 0) AS version FROM schema_version')
  return row ? new RowReader('schema_version', row).number('version') : 0
}
