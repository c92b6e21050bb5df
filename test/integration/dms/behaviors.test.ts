/** What a user reads when a question about deployments cannot be answered, asked as a client asks: by message. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rootHandleOfPeer } from '../../../src/lib/did/index.ts'
import type { Machine } from '../../utils/world.ts'
import { World } from '../../utils/world.ts'
import { deploy, ensembleOf, SERVICE, untilStatus } from './support.ts'

/** The node asks itself: the owner's actors may. */
async function ask(
  world: World,
  machine: Machine,
  path: string,
  payload: unknown
): Promise<Record<string, unknown>> {
  const to = rootHandleOfPeer(machine.peerId)
  const asked = machine.node.actor.invoke(to, `/dms/node/deployment/${path}`, payload, { timeoutMs: 60_000 })
  const reply = await world.settle(asked)
  assert.ok(reply.ok, reply.ok ? '' : JSON.stringify(reply.error))
  return Object(reply.value.payload)
}

describe('a behaviour of deployments', () => {
  it('says what is wrong, not merely that something is', async () => {
    await using world = await World.create()
    const user = await world.addMachine({ onboard: false })
    const cases: [path: string, payload: unknown, member: string, expected: RegExp][] = [
      ['status', { id: 'x' }, 'error', /deployment 'x' not found; see 'nunet ps'/],
      ['manifest', { id: 'x' }, 'error', /deployment 'x' not found/],
      ['events', { id: 'x' }, 'error', /deployment 'x' not found/],
      ['shutdown', { id: 'x' }, 'Error', /deployment 'x' not found/],
      ['delete', { orchestrator_id: 'x' }, 'error', /deployment 'x' not found/],
      ['logs/read', { id: 'x', allocation: 'a' }, 'Error', /deployment 'x' not found/],
      [
        'prune',
        { before: 'last summer' },
        'error',
        /'last summer' is not a date or time; write '2027-12-31'/
      ],
      ['prune', { before: '3 weeks' }, 'error', /is not a date or time/],
      ['prune', {}, 'error', /give 'before' or 'all'/],
      ['list', { sort_by: 'colour' }, 'error', /colour/],
      ['list', { limit: -1 }, 'error', /limit/],
      ['events', { id: 'x', wait_ms: 1e9 }, 'error', /wait_ms/]
    ]
    for (const [path, payload, member, expected] of cases) {
      const answer = await ask(world, user, path, payload)
      assert.match(String(answer[member]), expected, `${path} ${JSON.stringify(payload)}`)
    }
  })

  it('wakes a waiting reader of events with the next one, and lets go of it when its time is over', async () => {
    await using world = await World.create()
    const user = await world.addMachine({ onboard: false })
    await world.addMachine()
    const id = await deploy(world, user, ensembleOf({ one: SERVICE }))
    await untilStatus(world, user, id, 'Running')
    const first = await ask(world, user, 'events', { id, after: 0, limit: 1000 })
    const timers = world.clock.pendingTimers
    const startedMs = world.clock.nowMs()
    const idle = await ask(world, user, 'events', { id, after: first['next'], wait_ms: 5_000 })
    assert.deepEqual(idle['events'], [])
    assert.ok(world.clock.nowMs() - startedMs < 6_000)
    const waiting = ask(world, user, 'events', { id, after: first['next'], wait_ms: 25_000 })
    await ask(world, user, 'shutdown', { id })
    const woken = await waiting
    assert.ok(Array.isArray(woken['events']) && woken['events'].length > 0)
    assert.ok(world.clock.pendingTimers <= timers + 2)
  })

  it('lists in pages, also when no limit is asked for', async () => {
    await using world = await World.create()
    const user = await world.addMachine({ onboard: false })
    await world.addMachine()
    const id = await deploy(world, user, ensembleOf({ one: {} }))
    await untilStatus(world, user, id, 'Completed')
    const record = user.node.orchestrator.record(id)
    user.database.transaction(() => {
      for (let count = 0; count < 1_200; count++)
        user.database.deployments.save({ ...record, id: `copy-${count}`, ensemble: { v1: {} } })
    })
    const page = await ask(world, user, 'list', {})
    assert.deepEqual(
      [Array.isArray(page['deployments']) && page['deployments'].length, page['total'], page['next_offset']],
      [1000, 1201, 1000]
    )
    const rest = await ask(world, user, 'list', { offset: 1000 })
    assert.deepEqual([rest['has_more'], rest['next_offset']], [false, undefined])
    assert.deepEqual(await ask(world, user, 'prune', { all: true }), { ok: true })
    assert.equal((await ask(world, user, 'list', {}))['total'], 0)
  })

  it('that removes a deployment removes its stored output as well', async () => {
    await using world = await World.create()
    const user = await world.addMachine({ onboard: false })
    await world.addMachine()
    const id = await deploy(world, user, ensembleOf({ one: {} }))
    await untilStatus(world, user, id, 'Completed')
    const { LogsWrittenTo: directory } = await ask(world, user, 'logs', {
      EnsembleID: id,
      AllocationName: 'one.job-one'
    })
    assert.deepEqual(await user.files.list(String(directory)), ['stdout.log'])
    assert.deepEqual(await ask(world, user, 'delete', { orchestrator_id: id }), { ok: true })
    assert.deepEqual(await user.files.list(String(directory)), [])
  })
})
