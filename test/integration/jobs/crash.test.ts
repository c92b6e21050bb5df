/**
 * Kills the provider between any two steps of a story and starts a new one on the same machine: database,
 * workloads and time stay. Afterwards nothing may be leaked, nothing may run twice, and a task's end is told.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProviderDeps } from '../../../src/dms/jobs/index.ts'
import type { Executor } from '../../../src/executor/index.ts'
import {
  allocateRequest,
  bidRequest,
  commitRequest,
  ENSEMBLE,
  ORCHESTRATOR,
  type ProviderWorld,
  START,
  startedWorld,
  WEB
} from '../../unit/dms/jobs/world.ts'

/** Lets a number of calls to the outside through; the next one and all later ones never come back. */
class Fuse {
  #left: number
  isBlown = false
  readonly blown = Promise.withResolvers<void>()

  constructor(calls: number) {
    this.#left = calls
  }

  check(): void {
    if (this.#left-- > 0) return
    this.isBlown = true
    this.blown.resolve()
    throw new Error('killed')
  }

  /** A proxy whose methods pass the fuse before and after each call: a kill on both sides of the effect. */
  guard<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (object, name) => {
        const member: unknown = Reflect.get(object, name)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          this.check()
          const result: unknown = member.apply(object, args)
          if (result instanceof Promise) {
            return result.then(value => {
              this.check()
              return value
            })
          }
          this.check()
          return result
        }
      }
    })
  }

  /** All that reaches outside the process. */
  wrap = (deps: ProviderDeps): ProviderDeps => {
    const executors = new Map(
      [...deps.executors].map(([type, executor]): [string, Executor] => [type, this.guard(executor)])
    )
    const db = {
      ...deps.db,
      allocations: this.guard(deps.db.allocations),
      // Not guarded on its own: rolled back as a whole by what throws inside.
      transaction: <T>(work: () => T): T => deps.db.transaction(work),
      reservations: deps.db.reservations
    }
    const grant = (request: Parameters<ProviderDeps['grant']>[0]) => {
      this.check()
      return deps.grant(request)
    }
    return { ...deps, executors, db, grant }
  }
}

type Step = (world: ProviderWorld) => Promise<unknown>

const place = (params: Record<string, unknown>, type: 'task' | 'service'): Step[] => [
  world => world.provider.decideBid(bidRequest(), ORCHESTRATOR),
  world => world.provider.commit(commitRequest(), ORCHESTRATOR),
  world => world.provider.allocate(allocateRequest(params, type), ORCHESTRATOR),
  world => world.call('/dms/allocation/start', START)
]

/** Runs a story until the fuse blows; true when it came to its end. */
async function play(world: ProviderWorld, fuse: Fuse, steps: readonly Step[]): Promise<boolean> {
  for (const step of steps) {
    const outcome = step(world).catch(() => undefined)
    await Promise.race([outcome, fuse.blown.promise])
    await world.clock.advance(1)
    if (fuse.isBlown) return false
  }
  return true
}

/** Kills at each point in turn, until a story runs through. */
async function killEverywhere(
  steps: readonly Step[],
  verify: (world: ProviderWorld, point: number) => Promise<void>
): Promise<number> {
  for (let point = 0; point < 500; point++) {
    const fuse = new Fuse(point)
    await using world = await startedWorld()
    await world.reboot({ wrap: fuse.wrap }).catch(() => undefined)
    const isDone = await play(world, fuse, steps)
    if (isDone) return point
    await world.reboot({})
    await verify(world, point)
  }
  throw new Error('the story never ends')
}

/** What an orchestrator does when its attempt failed: all of it is reverted. */
async function assertRevertible(world: ProviderWorld, point: number): Promise<void> {
  await world.clock.advance(1_000)
  const reply = await world.provider.revert({ ensembleId: ENSEMBLE, allocationIds: [WEB] }, ORCHESTRATOR)
  assert.equal(reply.OK, true, `point ${point}: ${reply.Error}`)
  await world.clock.advance(6 * 60_000)
  world.assertNothingHeld()
}

test('killed anywhere on the way to a running service, a new provider can be reverted to nothing', async () => {
  const points = await killEverywhere(place({ run_for: 'forever' }, 'service'), assertRevertible)
  assert.ok(points > 15, `only ${points} points were tried`)
})

test('killed anywhere, a new provider holds at most one workload, and only one it knows', async () => {
  await killEverywhere(place({ run_for: 'forever' }, 'service'), async (world, point) => {
    await world.clock.advance(1_000)
    const executions = [...world.mock.executions.keys()]
    const listed = world.provider.list().allocations.map(entry => entry.execution_id)
    assert.ok(executions.length <= 1, `point ${point}`)
    for (const id of executions) assert.ok(listed.includes(id), `point ${point}: ${id} is known to nobody`)
    if (world.status() === 'running') assert.equal(executions.length, 1, `point ${point}: nothing runs`)
  })
})

test('killed anywhere on the way to a commit or an allocation that nobody asks for again, the place is free after a while', async () => {
  await killEverywhere(place({ run_for: 'forever' }, 'service').slice(0, 2), async (world, point) => {
    await world.clock.advance(6 * 60_000)
    assert.deepEqual(world.db.reservations.list(), [], `point ${point}`)
  })
})

test('killed anywhere while a task runs and ends, its end is told and nothing is held', async () => {
  const steps: Step[] = [
    ...place({ run_for: '5s', stdout: 'out' }, 'task'),
    world => world.clock.advance(6_000)
  ]
  await killEverywhere(steps, async (world, point) => {
    const before = world.status()
    await world.clock.advance(10_000)
    const status = world.status()
    if (status === 'pending' || status === 'unknown') return
    assert.ok(status === 'completed' || status === 'failed', `point ${point}: ${before} became ${status}`)
    assert.ok(world.terminations().length >= 1, `point ${point}: the end was not told`)
    assert.equal(world.db.allocations.get(WEB)?.terminationReported, true, `point ${point}`)
    world.assertNothingHeld()
  })
})

test('killed anywhere during a restart, the service runs once or can be restarted', async () => {
  const steps: Step[] = [
    ...place({ run_for: 'forever' }, 'service'),
    world => world.call('/dms/allocation/restart', WEB)
  ]
  await killEverywhere(steps, async (world, point) => {
    await world.clock.advance(1_000)
    const status = world.status()
    if (status === 'unknown') return
    const path = status === 'pending' ? '/dms/allocation/start' : '/dms/allocation/restart'
    const reply = await world.call(path, START)
    assert.equal(reply['OK'], true, `point ${point}, ${status}: ${String(reply['Error'])}`)
    assert.equal(world.mock.executions.size, 1, `point ${point}`)
    await assertRevertible(world, point)
  })
})

test('killed anywhere during a shutdown, it is finished after the restart or can be asked for again', async () => {
  const steps: Step[] = [
    ...place({ run_for: 'forever' }, 'service'),
    world => world.provider.shutdown(ENSEMBLE, WEB, ORCHESTRATOR)
  ]
  await killEverywhere(steps, async (world, point) => {
    const reply = await world.provider.shutdown(ENSEMBLE, WEB, ORCHESTRATOR)
    assert.equal(reply.OK, true, `point ${point}: ${reply.Error}`)
    await world.clock.advance(6 * 60_000)
    world.assertNothingHeld()
  })
})

test('a running service is adopted: identity, behaviours, grants, logs and its later end', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever', die: '1h', stdout: 'hello' }, 'service')
  await world.call('/dms/allocation/start', START)
  const before = world.actors.get(WEB)?.handle
  await world.reboot()
  assert.deepEqual(world.actors.get(WEB)?.handle, before)
  assert.equal(world.status(), 'running')
  assert.equal(world.granted.length, 4)
  const logs = await world.callNode('/dms/ensemble/e1/allocation/logs', { AllocName: WEB, Stream: 'stdout' })
  assert.equal(logs['data'], Buffer.from('hello').toString('base64'))
  assert.equal(logs['eof'], false)
  await world.clock.advance(60 * 60_000)
  assert.equal(world.status(), 'failed')
  assert.equal(world.events().at(-1), 'failed')
})

test('a task that ended while the daemon was down is reported with its real exit code', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: '5s', exit_code: 4 })
  await world.call('/dms/allocation/start', START)
  await world.provider.stop()
  await world.clock.advance(60_000)
  await world.reboot()
  await world.clock.advance(1_000)
  assert.equal(world.terminations()[0]?.error.exit_code, 4)
  world.assertNothingHeld()
})

test('a workload of which nothing is left counts as failed and is reported', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever', lost_on_recover: true })
  await world.call('/dms/allocation/start', START)
  await world.reboot()
  await world.clock.advance(1_000)
  assert.equal(world.terminations()[0]?.status, 'failed')
  assert.match(world.terminations()[0]?.error.err ?? '', /nothing was left/)
  world.assertNothingHeld()
})

test('executions without a record are removed at start, and those of another node are not', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever' }, 'service')
  await world.call('/dms/allocation/start', START)
  const [execution] = world.mock.executions.values()
  assert.ok(execution)
  for (const [executionId, ownerId] of [
    ['foreign', 'another'],
    ['orphan', 'self']
  ] as const) {
    const request = { ...execution.request, executionId }
    world.mock.executions.set(executionId, {
      ...execution,
      ownerId,
      request,
      ended: Promise.withResolvers(),
      timers: []
    })
  }
  await world.reboot()
  assert.deepEqual(
    [...world.mock.executions.keys()].sort(),
    [execution.request.executionId, 'foreign'].sort()
  )
})

test('a workload that cannot be removed keeps its place until its executor answers again', async () => {
  let isDown = false
  await using world = await startedWorld({
    wrap: deps => ({
      ...deps,
      executors: new Map(
        [...deps.executors].map(([type, executor]): [string, Executor] => [
          type,
          new Proxy(executor, {
            get: (object, name) => {
              const member: unknown = Reflect.get(object, name)
              if (typeof member !== 'function') return member
              return (...args: unknown[]) => {
                if (isDown && name !== 'wait') throw new Error('the engine does not answer')
                return member.apply(object, args)
              }
            }
          })
        ])
      )
    })
  })
  await world.place({ run_for: 'forever' }, 'service')
  await world.call('/dms/allocation/start', START)
  isDown = true
  const reply = await world.provider.shutdown(ENSEMBLE, WEB, ORCHESTRATOR)
  assert.match(reply.Error, /does not answer/)
  assert.equal(world.db.reservations.list().length, 1)
  await world.reboot()
  assert.equal(world.db.reservations.list().length, 1)
  isDown = false
  await world.clock.advance(2 * 60_000)
  assert.equal(world.status(), 'terminated')
  world.assertNothingHeld()
})

test('a record that cannot be read does not stop the node: its place and its workload are given back', async () => {
  await using world = await startedWorld()
  await world.place({ run_for: 'forever' }, 'service')
  await world.call('/dms/allocation/start', START)
  const record = world.db.allocations.get(WEB)
  assert.ok(record)
  world.db.allocations.save({ ...record, execution: { executor: 'mock' } })
  await world.reboot()
  assert.deepEqual(world.provider.list().allocations, [])
  assert.ok(world.log.entries.some(entry => entry.level === 'error'))
  world.assertNothingHeld()
})

test('a workload whose start could not be written down is found again and not run twice', async () => {
  let isFull = false
  const withFullDisk = (deps: ProviderDeps): ProviderDeps => {
    const save = (record: Parameters<ProviderDeps['db']['allocations']['save']>[0]): void => {
      // The disk fills up after the handle was written and before the state was.
      if (record.status === 'running') isFull = true
      if (isFull) throw new Error('database or disk is full')
      deps.db.allocations.save(record)
    }
    const { allocations, reservations } = deps.db
    const guarded = {
      get: (id: string) => allocations.get(id),
      list: () => allocations.list(),
      listByEnsemble: (id: string) => allocations.listByEnsemble(id),
      delete: (id: string) => allocations.delete(id),
      save
    }
    return {
      ...deps,
      db: { reservations, allocations: guarded, transaction: work => deps.db.transaction(work) }
    }
  }
  await using world = await startedWorld({ wrap: withFullDisk })
  await world.place({ run_for: 'forever' }, 'service')
  const reply = await world.call('/dms/allocation/start', START)
  assert.match(String(reply['Error']), /disk is full/)
  assert.equal(world.mock.executions.size, 1)
  await world.reboot({})
  await world.clock.advance(1_000)
  assert.equal(world.status(), 'running')
  assert.equal(world.mock.executions.size, 1)
})
