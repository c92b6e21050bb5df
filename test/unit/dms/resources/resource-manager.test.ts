import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDatabase } from '../../../../src/db/index.ts'
import { type Claim, ResourceManager } from '../../../../src/dms/resources/index.ts'
import type { Resources, Result } from '../../../../src/types/index.ts'
import { VirtualClock } from '../../../../src/utils/index.ts'
import { MemoryLog } from '../../../utils/index.ts'

const amount = (cores: number): Resources => ({ cpu: { cores }, ram: { size: cores }, disk: { size: cores } })

function setUp() {
  const clock = new VirtualClock()
  const log = new MemoryLog()
  const db = openDatabase({ clock, log }, { path: ':memory:' })
  db.onboarding.save({ resources: amount(4), onboardedAtMs: 0 })
  const deps = { reservations: db.reservations, onboarding: db.onboarding, clock, log }
  const manager = new ResourceManager(deps)
  const claim = (allocationId: string, cores: number, ports: number[] = []): Claim => ({
    allocationId,
    ensembleId: 'e',
    nodeId: 'n',
    owner: 'o',
    resources: amount(cores),
    ports,
    expiresAtMs: clock.nowMs() + 1_000
  })
  return { clock, db, deps, manager, claim }
}

const code = (result: Result<unknown>): string => (result.ok ? 'OK' : result.error.code)

test('a commit takes from the free pool, an allocate takes nothing more, a release gives back', () => {
  const { manager, claim } = setUp()
  assert.equal(manager.commit([claim('a', 1), claim('b', 2)]).ok, true)
  assert.deepEqual(manager.free(), amount(1))
  assert.deepEqual(manager.committed(), amount(3))
  assert.equal(manager.allocate('a').ok, true)
  assert.deepEqual(
    [manager.allocated(), manager.committed(), manager.free()],
    [amount(1), amount(2), amount(1)]
  )
  assert.equal(manager.release('a').ok, true)
  assert.equal(manager.release('b').ok, true)
  assert.deepEqual(manager.free(), amount(4))
})

test('what was committed is there after a restart', () => {
  const { manager, claim, deps } = setUp()
  manager.commit([claim('a', 3)])
  assert.deepEqual(new ResourceManager(deps).free(), amount(1))
})

test('all claims of a call are taken or none', () => {
  const { manager, claim } = setUp()
  assert.equal(code(manager.commit([claim('a', 2), claim('b', 3)])), 'RESOURCES_LACKING')
  assert.equal(code(manager.commit([claim('a', 1), claim('a', 1)])), 'RESOURCES_COMMITTED')
  assert.equal(code(manager.commit([claim('a', 1, [80]), claim('b', 1, [80])])), 'RESOURCES_PORT_RESERVED')
  assert.deepEqual(manager.free(), amount(4))
})

test('doing anything twice, or to what is unknown, is a refusal with its reason', () => {
  const { manager, claim } = setUp()
  manager.commit([claim('a', 1)])
  assert.equal(code(manager.commit([claim('a', 1)])), 'RESOURCES_COMMITTED')
  manager.allocate('a')
  assert.equal(code(manager.allocate('a')), 'RESOURCES_ALLOCATED')
  assert.equal(code(manager.commit([claim('a', 1)])), 'RESOURCES_COMMITTED')
  assert.equal(code(manager.allocate('b')), 'RESOURCES_UNKNOWN')
  manager.release('a')
  assert.equal(code(manager.release('a')), 'RESOURCES_UNKNOWN')
})

test('a machine that is not onboarded has nothing', () => {
  const { db, manager } = setUp()
  assert.equal(manager.fits(amount(4)).ok, true)
  db.onboarding.clear()
  assert.equal(code(manager.fits(amount(1))), 'RESOURCES_NOT_ONBOARDED')
  assert.deepEqual(manager.free(), amount(0))
})

test('expired commits are swept again and again by the clock; allocations never', async () => {
  const { manager, claim, clock, db } = setUp()
  await manager.start()
  await manager.start()
  assert.equal(clock.pendingTimers, 1)
  for (const name of ['a', 'b', 'c']) {
    manager.commit([claim(name, 1), claim(`${name}2`, 1)])
    manager.allocate(`${name}2`)
    await clock.advance(60_000)
    assert.deepEqual(
      db.reservations.list().map(record => record.allocationId),
      [`${name}2`]
    )
    manager.release(`${name}2`)
  }
  await manager.stop()
  assert.equal(clock.pendingTimers, 0)
})

test('an expired commit cannot be allocated even before the sweep', async () => {
  const { manager, claim, clock } = setUp()
  manager.commit([claim('a', 4)])
  await clock.advance(1_000)
  assert.equal(code(manager.allocate('a')), 'RESOURCES_UNKNOWN')
  assert.equal(manager.commit([claim('b', 4)]).ok, true)
})
