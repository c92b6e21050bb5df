import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { Connection } from '../../../src/db/connection.ts'
import { DatabaseError, openDatabase } from '../../../src/db/index.ts'
import { migrate } from '../../../src/db/migrate.ts'
import { MIGRATIONS } from '../../../src/db/migrations/index.ts'
import { SqliteEvents } from '../../../src/db/repositories/events.ts'
import { VirtualClock } from '../../../src/utils/index.ts'
import { deployment, reservation } from '../../contract/db.suite.ts'
import { MemoryLog, temporaryDirectory } from '../../utils/index.ts'

const deps = { clock: new VirtualClock(), log: new MemoryLog() }

function connect(): { handle: DatabaseSync; connection: Connection } {
  const handle = new DatabaseSync(':memory:')
  const connection = new Connection(handle, ':memory:')
  migrate(deps, connection, MIGRATIONS)
  return { handle, connection }
}

describe('a row that this program did not write', () => {
  for (const [title, change] of [
    ['broken JSON', "UPDATE reservations SET resources = '{'"],
    ['JSON of another shape', "UPDATE reservations SET resources = '[]'"],
    [
      'an amount that is no number',
      `UPDATE reservations SET resources = '{"cpu":{"cores":"2"},"ram":{"size":1},"disk":{"size":1}}'`
    ],
    ['a list of other things', `UPDATE reservations SET ports = '["x"]'`]
  ] as const) {
    it(`with ${title} is reported, not returned`, async () => {
      await using directory = await temporaryDirectory()
      const path = directory.join('dms.sqlite')
      const first = openDatabase(deps, { path })
      first.reservations.insert([reservation('a')])
      first.close()
      const raw = new DatabaseSync(path)
      raw.exec(change)
      raw.close()
      using db = openDatabase(deps, { path })
      assert.throws(() => db.reservations.list(), { code: 'DB_CORRUPT', hint: /backup/ })
    })
  }

  it('with an unknown status is reported', async () => {
    await using directory = await temporaryDirectory()
    const path = directory.join('dms.sqlite')
    const first = openDatabase(deps, { path })
    first.deployments.save(deployment('a'))
    first.close()
    const raw = new DatabaseSync(path)
    raw.exec("UPDATE deployments SET status = 'Dreaming'")
    raw.close()
    using db = openDatabase(deps, { path })
    assert.throws(() => db.deployments.get('a'), {
      code: 'DB_CORRUPT',
      message: /'status' of table 'deployments'/
    })
  })
})

describe('a full disk', () => {
  it('is reported as such, nothing is half-written, and the connection stays usable', () => {
    const { handle, connection } = connect()
    handle.exec('PRAGMA max_page_count = 20')
    const events = new SqliteEvents(connection)
    const fill = (): void => {
      for (let index = 0; index < 1000; index++) {
        events.append({ deploymentId: 'a', atMs: index, type: 'status', data: { text: 'x'.repeat(3000) } })
      }
    }
    assert.throws(
      () => connection.transaction(fill),
      (error: unknown) => error instanceof DatabaseError && error.code === 'DB_FULL' && error.retryable
    )
    assert.deepEqual(events.list('a', 0), [])
    events.append({ deploymentId: 'a', atMs: 1, type: 'status', data: {} })
    assert.equal(events.list('a', 0).length, 1)
  })
})

describe('the events of a deployment', () => {
  it('are bounded: the oldest make room, those of others stay', () => {
    const { connection } = connect()
    const events = new SqliteEvents(connection, { keep: 3 })
    events.append({ deploymentId: 'b', atMs: 0, type: 'status', data: {} })
    for (let atMs = 1; atMs <= 10; atMs++)
      events.append({ deploymentId: 'a', atMs, type: 'status', data: {} })
    assert.deepEqual(
      events.list('a', 0).map(event => event.atMs),
      [8, 9, 10]
    )
    assert.equal(events.list('b', 0).length, 1)
  })
})

describe('the connection', () => {
  it('stays usable after many different statements', () => {
    const { connection } = connect()
    for (let index = 0; index < 400; index++) {
      assert.deepEqual({ ...connection.get(`SELECT ${index} AS n, ? AS m`, index) }, { n: index, m: index })
    }
    assert.deepEqual({ ...connection.get('SELECT 0 AS n, ? AS m', 5) }, { n: 0, m: 5 })
  })
})
