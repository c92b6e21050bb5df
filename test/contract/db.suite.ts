import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type {
  AllocationRecord,
  Database,
  DeploymentQuery,
  DeploymentRecord,
  ReservationRecord,
  RevocationRecord
} from '../../src/db/index.ts'
import type { Handle, Resources } from '../../src/types/index.ts'

/** What the suite needs: a new, empty database. The suite closes it. */
export interface DatabaseSuiteOptions {
  open(): Promise<Database> | Database
}

const RESOURCES: Resources = {
  cpu: { cores: 1.5, clock_speed: 2_400_000_000, architecture: 'x86_64' },
  gpus: [],
  ram: { size: 2 ** 33 },
  disk: { size: 2 ** 40 }
}

const HANDLE = {
  id: 'actor',
  did: 'did:key:z6Mk',
  address: { host: '12D3KooW', inbox: 'root' }
} as unknown as Handle // branded identifiers are made only by their parsers

/** A known revocation. */
function known(key: string, changes: Partial<RevocationRecord> = {}): RevocationRecord {
  return { key, revocation: `{"dms":"${key}"}`, learntFrom: 'peer', learntAtMs: 1000, ...changes }
}

export function reservation(id: string, changes: Partial<ReservationRecord> = {}): ReservationRecord {
  return {
    allocationId: id,
    ensembleId: 'ensemble',
    nodeId: 'node',
    owner: 'peer',
    state: 'committed',
    resources: RESOURCES,
    ports: [16_384, 16_385],
    createdAtMs: 1000,
    expiresAtMs: 2000,
    ...changes
  }
}

function allocation(id: string, changes: Partial<AllocationRecord> = {}): AllocationRecord {
  return {
    id,
    ensembleId: 'ensemble',
    nodeId: 'node',
    orchestrator: HANDLE,
    status: 'running',
    spec: { executor: 'docker', list: [1, null, 'x'] },
    startOptions: { ports: { 80: 16_384 } },
    actorKey: Uint8Array.of(8, 1, 18, 0, 255),
    execution: { id: 'abc' },
    terminationReported: false,
    createdAtMs: 1000,
    updatedAtMs: 1001,
    startedAtMs: 1002,
    ...changes
  }
}

export function deployment(id: string, changes: Partial<DeploymentRecord> = {}): DeploymentRecord {
  return {
    id,
    status: 'Running',
    ensemble: { v1: { allocations: {} } },
    actorKey: Uint8Array.of(1, 2, 3),
    requestedBy: 'did:key:z6Mk',
    metadata: {},
    deadlineMs: 9000,
    createdAtMs: 1000,
    updatedAtMs: 1000,
    ...changes
  }
}

/** Every implementation of `Database` passes this. */
export function databaseContract(name: string, { open }: DatabaseSuiteOptions): void {
  const test = (title: string, body: (db: Database) => void): void => {
    it(title, async () => {
      using db = await open()
      body(db)
    })
  }

  describe(`${name}: onboarding`, () => {
    test('has no record at first', db => assert.equal(db.onboarding.get(), undefined))

    test('keeps the last record until it is cleared', db => {
      db.onboarding.save({ resources: RESOURCES, onboardedAtMs: 1 })
      db.onboarding.save({ resources: { ...RESOURCES, ram: { size: 5 } }, onboardedAtMs: 2 })
      assert.deepEqual(db.onboarding.get(), {
        resources: { ...RESOURCES, ram: { size: 5 } },
        onboardedAtMs: 2
      })
      db.onboarding.clear()
      assert.equal(db.onboarding.get(), undefined)
    })
  })

  describe(`${name}: reservations`, () => {
    test('returns what was inserted', db => {
      const { expiresAtMs: _, ...withoutExpiry } = reservation('b', { state: 'allocated', createdAtMs: 1 })
      db.reservations.insert([reservation('a'), withoutExpiry])
      assert.deepEqual(db.reservations.get('a'), reservation('a'))
      assert.deepEqual(db.reservations.get('b'), withoutExpiry)
      assert.equal(db.reservations.get('c'), undefined)
    })

    test('lists oldest first, and by ensemble', db => {
      db.reservations.insert([
        reservation('a', { createdAtMs: 3 }),
        reservation('b', { createdAtMs: 1, ensembleId: 'other' }),
        reservation('c', { createdAtMs: 2 })
      ])
      assert.deepEqual(
        db.reservations.list().map(record => record.allocationId),
        ['b', 'c', 'a']
      )
      assert.deepEqual(
        db.reservations.listByEnsemble('ensemble').map(record => record.allocationId),
        ['c', 'a']
      )
      assert.deepEqual(db.reservations.listByEnsemble('none'), [])
    })

    test('inserts all or none', db => {
      db.reservations.insert([reservation('b')])
      assert.throws(() => db.reservations.insert([reservation('a'), reservation('b')]), {
        code: 'DB_DUPLICATE'
      })
      assert.deepEqual(
        db.reservations.list().map(record => record.allocationId),
        ['b']
      )
    })

    test('inserts all or none also inside a transaction that goes on', db => {
      db.reservations.insert([reservation('b')])
      db.transaction(() => {
        db.reservations.insert([reservation('z')])
        assert.throws(() => db.reservations.insert([reservation('a'), reservation('b')]), {
          code: 'DB_DUPLICATE'
        })
      })
      assert.deepEqual(
        db.reservations.list().map(record => record.allocationId),
        ['b', 'z']
      )
    })

    test('updates every field, and refuses to update what is not there', db => {
      db.reservations.insert([reservation('a')])
      const { expiresAtMs: _, ...changed } = reservation('a', {
        state: 'allocated',
        owner: 'other',
        ensembleId: 'e2',
        nodeId: 'n2',
        ports: [],
        createdAtMs: 5,
        resources: { ...RESOURCES, cpu: { cores: 4 } }
      })
      db.reservations.update(changed)
      assert.deepEqual(db.reservations.get('a'), changed)
      assert.throws(() => db.reservations.update(reservation('b')), { code: 'DB_QUERY' })
    })

    test('says whether there was one to delete', db => {
      db.reservations.insert([reservation('a')])
      assert.equal(db.reservations.delete('a'), true)
      assert.equal(db.reservations.delete('a'), false)
    })
  })

  describe(`${name}: allocations`, () => {
    test('saves, replaces and returns every field', db => {
      db.allocations.save(allocation('a'))
      assert.deepEqual(db.allocations.get('a'), allocation('a'))
      const ended = allocation('a', {
        status: 'failed',
        result: { exitCode: 137 },
        terminationReported: true,
        endedAtMs: 2000,
        updatedAtMs: 2000
      })
      db.allocations.save(ended)
      assert.deepEqual(db.allocations.get('a'), ended)
      assert.equal(db.allocations.list().length, 1)
    })

    test('leaves out what is absent', db => {
      const {
        startOptions: _,
        execution: __,
        startedAtMs: ___,
        ...bare
      } = allocation('a', { status: 'pending' })
      db.allocations.save(bare)
      assert.deepEqual(Object.keys(db.allocations.get('a') ?? {}).sort(), Object.keys(bare).sort())
    })

    test('lists by ensemble and deletes', db => {
      db.allocations.save(allocation('a'))
      db.allocations.save(allocation('b', { ensembleId: 'other' }))
      assert.deepEqual(
        db.allocations.listByEnsemble('other').map(record => record.id),
        ['b']
      )
      assert.equal(db.allocations.delete('b'), true)
      assert.equal(db.allocations.delete('b'), false)
      assert.deepEqual(
        db.allocations.list().map(record => record.id),
        ['a']
      )
    })

    test('keeps hostile text as it is', db => {
      const id = "'; DROP TABLE allocations; --\u0000\u{1F600}"
      db.allocations.save(allocation(id, { spec: { __proto__: null, text: '"\u2028\\' } }))
      assert.deepEqual(db.allocations.get(id)?.spec, { text: '"\u2028\\' })
    })

    test('refuses what JSON cannot express', db => {
      const circle: Record<string, unknown> = {}
      circle['self'] = circle
      assert.throws(() => db.allocations.save(allocation('a', { spec: circle })), { code: 'DB_QUERY' })
      assert.throws(() => db.allocations.save(allocation('a', { spec: 1n })), { code: 'DB_QUERY' })
      assert.deepEqual(db.allocations.list(), [])
    })
  })

  describe(`${name}: deployments`, () => {
    const ids = (db: Database, query: DeploymentQuery): string[] =>
      db.deployments.find(query).records.map(({ id }) => id)

    const withFour = (title: string, body: (db: Database) => void): void =>
      test(title, db => {
        db.deployments.save(
          deployment('a', { createdAtMs: 100, updatedAtMs: 900, metadata: { app: 'web', tier: '1' } })
        )
        db.deployments.save(
          deployment('b', { createdAtMs: 200, updatedAtMs: 800, status: 'Failed', metadata: { app: 'web' } })
        )
        db.deployments.save(deployment('c', { createdAtMs: 300, updatedAtMs: 700, status: 'Preparing' }))
        db.deployments.save(
          deployment('d', {
            createdAtMs: 300,
            updatedAtMs: 600,
            status: 'Completed',
            metadata: { app: 'job' }
          })
        )
        body(db)
      })

    test('saves, replaces and returns every field', db => {
      db.deployments.save(deployment('a'))
      assert.deepEqual(db.deployments.get('a'), deployment('a'))
      const failed = deployment('a', {
        status: 'Failed',
        manifest: { id: 'a' },
        metadata: { app: 'web' },
        error: { code: 'NO_BIDS', message: 'nobody answered', causes: [{ code: 'X', message: 'y' }] },
        completedAtMs: 5000
      })
      db.deployments.save(failed)
      assert.deepEqual(db.deployments.get('a'), failed)
    })

    withFour('finds all, newest first', db => {
      assert.deepEqual(ids(db, {}), ['d', 'c', 'b', 'a'])
      assert.equal(db.deployments.find({}).total, 4)
    })

    withFour('finds by status', db => {
      assert.deepEqual(ids(db, { status: ['Running', 'Failed'] }), ['b', 'a'])
      assert.deepEqual(ids(db, { status: ['Updating'] }), [])
      assert.equal(ids(db, { status: [] }).length, 4)
    })

    withFour('finds by metadata, all pairs of it', db => {
      assert.deepEqual(ids(db, { metadata: { app: 'web' } }), ['b', 'a'])
      assert.deepEqual(ids(db, { metadata: { app: 'web', tier: '1' } }), ['a'])
      assert.deepEqual(ids(db, { metadata: { 'a"p.p$[0]': 'web' } }), [])
    })

    withFour('finds by time, bounds excluded', db => {
      assert.deepEqual(ids(db, { createdAfterMs: 100, createdBeforeMs: 300 }), ['b'])
      assert.deepEqual(ids(db, { updatedAfterMs: 600, updatedBeforeMs: 900 }), ['c', 'b'])
    })

    withFour('sorts by each field in both directions; equal ones by id', db => {
      assert.deepEqual(ids(db, { sort: 'created_at' }), ['a', 'b', 'c', 'd'])
      assert.deepEqual(ids(db, { sort: 'updated_at' }), ['d', 'c', 'b', 'a'])
      assert.deepEqual(ids(db, { sort: '-id' }), ['d', 'c', 'b', 'a'])
      assert.deepEqual(ids(db, { sort: 'status' }), ['c', 'a', 'b', 'd'])
      assert.deepEqual(ids(db, { sort: '-status' }), ['d', 'b', 'a', 'c'])
    })

    withFour('skips by offset, cuts by limit, and counts all', db => {
      assert.deepEqual(ids(db, { limit: 2 }), ['d', 'c'])
      assert.deepEqual(ids(db, { limit: 2, offset: 1 }), ['c', 'b'])
      assert.deepEqual(ids(db, { offset: 3 }), ['a'])
      assert.deepEqual(ids(db, { limit: 0 }).length, 4)
      assert.equal(db.deployments.find({ limit: 1, offset: 1, status: ['Running', 'Failed'] }).total, 2)
    })

    test('refuses an unknown sort field, negative numbers and endless searches', db => {
      for (const query of [
        { sort: 'name' },
        { sort: 'id; DROP TABLE deployments' },
        { sort: '' },
        { limit: -1 },
        { offset: 0.5 },
        { metadata: Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, 'v'])) }
      ]) {
        assert.throws(() => db.deployments.find(query), { code: 'DB_QUERY' }, JSON.stringify(query))
      }
    })

    test('removes the events with their deployment', db => {
      db.deployments.save(deployment('a'))
      db.events.append({ deploymentId: 'a', atMs: 1, type: 'status', data: {} })
      db.events.append({ deploymentId: 'b', atMs: 1, type: 'status', data: {} })
      assert.equal(db.deployments.delete('a'), true)
      assert.equal(db.deployments.delete('a'), false)
      assert.deepEqual(db.events.list('a', 0), [])
      assert.equal(db.events.list('b', 0).length, 1)
    })
  })

  describe(`${name}: events`, () => {
    test('numbers them in order over all deployments', db => {
      const sequences = ['a', 'b', 'a'].map(
        deploymentId => db.events.append({ deploymentId, atMs: 5, type: 'bid', data: { node: 'n' } }).sequence
      )
      const [first = 0, second = 0, third = 0] = sequences
      assert.ok(first > 0 && second > first && third > second)
      assert.deepEqual(
        db.events.list('a', 0).map(event => event.sequence),
        [first, third]
      )
    })

    test('lists those after a sequence, up to a limit', db => {
      const added = Array.from({ length: 5 }, (_, index) =>
        db.events.append({ deploymentId: 'a', atMs: index, type: 'status', data: { status: 'Running' } })
      )
      assert.deepEqual(db.events.list('a', added[1]?.sequence ?? 0, 2), added.slice(2, 4))
      assert.deepEqual(db.events.list('a', added[4]?.sequence ?? 0), [])
      assert.throws(() => db.events.list('a', 0, 0), { code: 'DB_QUERY' })
    })

    test('never uses a number again', db => {
      db.deployments.save(deployment('a'))
      const before = db.events.append({ deploymentId: 'a', atMs: 1, type: 'status', data: {} }).sequence
      db.deployments.delete('a')
      assert.ok(db.events.append({ deploymentId: 'a', atMs: 1, type: 'status', data: {} }).sequence > before)
    })
  })

  describe(`${name}: revocations`, () => {
    test('come back as they were saved, oldest knowledge first, and the last save of a key wins', db => {
      db.revocations.save([known('b', { learntAtMs: 2000, proof: '{"dms":"proof"}' }), known('a')])
      db.revocations.save([known('a', { learntFrom: 'file' })])
      assert.deepEqual(db.revocations.list(), [
        known('a', { learntFrom: 'file' }),
        known('b', { learntAtMs: 2000, proof: '{"dms":"proof"}' })
      ])
      assert.deepEqual(db.revocations.find('a'), known('a', { learntFrom: 'file' }))
      db.revocations.delete(['a', 'nobody'])
      assert.equal(db.revocations.find('a'), undefined)
      assert.deepEqual(
        db.revocations.list().map(record => record.key),
        ['b']
      )
    })

    test('the time of the last current knowledge is one, and absent at first', db => {
      assert.equal(db.revocations.currentAtMs(), undefined)
      db.revocations.saveCurrentAtMs(1000)
      db.revocations.saveCurrentAtMs(2000)
      assert.equal(db.revocations.currentAtMs(), 2000)
    })

    test('what a grant rests on is remembered by its subject, for a bounded number of them', db => {
      assert.equal(db.revocations.basisOf('did:a'), undefined)
      db.revocations.saveBasis('did:a', ['one'], 0)
      db.revocations.saveBasis('did:a', ['one', 'two'], 1)
      assert.deepEqual(db.revocations.basisOf('did:a'), ['one', 'two'])
      db.transaction(() => {
        for (let count = 0; count < 10_000; count++) db.revocations.saveBasis(`did:${count}`, [], 2 + count)
      })
      assert.equal(db.revocations.basisOf('did:a'), undefined)
      assert.deepEqual(db.revocations.basisOf('did:0'), [])
    })
  })

  describe(`${name}: transactions`, () => {
    test('keep all or nothing and pass the value on', db => {
      assert.equal(
        db.transaction(() => 7),
        7
      )
      const fault = new Error('stop')
      assert.throws(
        () =>
          db.transaction(() => {
            db.reservations.insert([reservation('a')])
            throw fault
          }),
        fault
      )
      assert.deepEqual(db.reservations.list(), [])
    })

    test('nest: the inner one joins the outer', db => {
      assert.throws(() =>
        db.transaction(() => {
          db.transaction(() => db.reservations.insert([reservation('a')]))
          throw new Error('stop')
        })
      )
      assert.deepEqual(db.reservations.list(), [])
    })

    test('nest: an inner one that fails leaves the outer usable', db => {
      db.transaction(() => {
        db.reservations.insert([reservation('a')])
        assert.throws(() =>
          db.transaction(() => {
            db.reservations.insert([reservation('b')])
            throw new Error('stop')
          })
        )
        db.transaction(() => db.reservations.insert([reservation('c')]))
      })
      assert.deepEqual(
        db.reservations.list().map(record => record.allocationId),
        ['a', 'c']
      )
    })

    test('refuse asynchronous work', db => {
      assert.throws(
        () =>
          db.transaction(async () => {
            db.reservations.insert([reservation('a')])
          }),
        { code: 'DB_QUERY' }
      )
      assert.deepEqual(db.reservations.list(), [])
    })
  })

  describe(`${name}: closing`, () => {
    test('may happen twice; afterwards calls say so', db => {
      db.close()
      db.close()
      assert.throws(() => db.onboarding.get(), { code: 'DB_CLOSED' })
      assert.throws(() => db.transaction(() => 1), { code: 'DB_CLOSED' })
    })
  })
}
