import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { Connection } from '../../../src/db/connection.ts'
import { openDatabase } from '../../../src/db/index.ts'
import { currentVersion, migrate } from '../../../src/db/migrate.ts'
import { MIGRATIONS, type Migration } from '../../../src/db/migrations/index.ts'
import { VIRTUAL_EPOCH_MS, VirtualClock } from '../../../src/utils/index.ts'
import { MemoryLog, temporaryDirectory } from '../../utils/index.ts'

const deps = { clock: new VirtualClock(), log: new MemoryLog() }

const FIRST: Migration = {
  version: 1,
  title: 'first',
  sql: 'CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1)'
}
const SECOND: Migration = {
  version: 2,
  title: 'second',
  sql: 'ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1'
}
const BROKEN: Migration = {
  version: 2,
  title: 'broken',
  sql: 'UPDATE a SET x = 9; CREATE TABLE b (x INTEGER) STRICT; NONSENSE'
}

function connect(): Connection {
  return new Connection(new DatabaseSync(':memory:'), ':memory:')
}

describe('the migrations', () => {
  it('are numbered without a gap, as their files are', () => {
    assert.deepEqual(
      MIGRATIONS.map(step => step.version),
      MIGRATIONS.map((_, index) => index + 1)
    )
    const files = readdirSync(new URL('../../../src/db/migrations', import.meta.url)).filter(name =>
      /^\d/.test(name)
    )
    assert.deepEqual(
      files.map(name => Number(name.slice(0, 4))),
      MIGRATIONS.map(step => step.version)
    )
  })

  it('bring an old file forward and keep its content', () => {
    const connection = connect()
    migrate(deps, connection, [FIRST])
    migrate(deps, connection, [FIRST, SECOND])
    assert.deepEqual({ ...connection.get('SELECT * FROM a') }, { x: 1, y: 2 })
    assert.deepEqual(
      connection
        .all('SELECT version, title, applied_at_ms FROM schema_version')
        .map(row => Object.values(row)),
      [
        [1, 'first', VIRTUAL_EPOCH_MS],
        [2, 'second', VIRTUAL_EPOCH_MS]
      ]
    )
  })

  it('of a release keep what the release before had stored', async () => {
    const connection = connect()
    const [initial, ...later] = MIGRATIONS
    assert.ok(initial)
    migrate(deps, connection, [initial])
    connection.run("INSERT INTO onboarding VALUES (1, '{}', 5)")
    migrate(deps, connection, [initial, ...later])
    assert.equal(connection.get('SELECT onboarded_at_ms AS at FROM onboarding')?.['at'], 5)
    assert.deepEqual(connection.all('SELECT * FROM revocations'), [])
  })

  it('apply each step once', () => {
    const connection = connect()
    migrate(deps, connection, [FIRST, SECOND])
    migrate(deps, connection, [FIRST, SECOND])
    assert.equal(currentVersion(connection), 2)
    assert.equal(connection.all('SELECT * FROM a').length, 1)
  })

  it('leave nothing of a step that fails', () => {
    const connection = connect()
    assert.throws(() => migrate(deps, connection, [FIRST, BROKEN]), { code: 'DB_QUERY' })
    assert.equal(currentVersion(connection), 1)
    assert.deepEqual({ ...connection.get('SELECT * FROM a') }, { x: 1 })
    migrate(deps, connection, [FIRST, SECOND])
    assert.equal(currentVersion(connection), 2)
  })

  it('refuse a file of a newer program and leave it as it is', async () => {
    await using directory = await temporaryDirectory()
    const path = directory.join('dms.sqlite')
    openDatabase(deps, { path }).close()
    const raw = new DatabaseSync(path)
    raw.exec("INSERT INTO schema_version VALUES (999, 'of the future', 0)")
    raw.close()
    assert.throws(() => openDatabase(deps, { path }), { code: 'DB_NEWER', message: /schema 999/ })
    assert.throws(() => openDatabase(deps, { path }), { code: 'DB_NEWER' }, 'the lock was released')
  })
})
