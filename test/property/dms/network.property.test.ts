/**
 * Whole networks under a seed: random machines, ensembles, kills, stops, cut lines, lost messages and dead engines for
 * some virtual minutes, then quiet. Whatever happened, nothing may be promised twice, run twice, or stay behind.
 *
 * A failure names its seed: `NUNET_PROPERTY_SEED=<seed>` runs that one alone, `NUNET_PROPERTY_RUNS=<n>` runs more.
 */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DeploymentStatus } from '../../../src/db/index.ts'
import { type Ensemble, ensembleSchema } from '../../../src/dms/ensemble/index.ts'
import { isActive } from '../../../src/dms/orchestrator/index.ts'
import { addResources, NO_RESOURCES } from '../../../src/dms/resources/index.ts'
import type { Resources } from '../../../src/types/index.ts'
import { GIB, renderRefusal, SeededRandom } from '../../../src/utils/index.ts'
import { type Machine, World } from '../../utils/world.ts'

const RUNS = Number(process.env['NUNET_PROPERTY_RUNS'] ?? 20)
const ONLY = process.env['NUNET_PROPERTY_SEED']

/** Longest time limit of a deployment, and what giving back may take after it: both in virtual milliseconds. */
const DEPLOYMENT_LIMIT_MS = 240_000
const QUIET_LIMIT_MS = 3_600_000

interface Provider {
  readonly machine: Machine
  readonly offer: Resources
}

interface Deployed {
  readonly user: Machine
  readonly id: string
}

class Simulation {
  readonly #random: SeededRandom
  readonly #world: World
  readonly #users: Machine[] = []
  readonly #providers: Provider[] = []
  readonly #deployed: Deployed[] = []
  /** Starts of task workloads, by provider, allocation and the time the allocation was made. */
  readonly #starts = new Map<string, number>()
  readonly #story: string[] = []

  private constructor(world: World, seed: number) {
    this.#world = world
    this.#random = new SeededRandom(`network ${seed}`)
  }

  static async run(seed: number): Promise<void> {
    await using world = await World.create({ seed })
    const simulation = new Simulation(world, seed)
    try {
      await simulation.#build()
      await simulation.#disturb()
      await simulation.#calm()
      await simulation.#end()
    } catch (error) {
      const told = simulation.#story.join('\n  ')
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}\n  ${told}`, {
        cause: error
      })
    }
  }

  async #build(): Promise<void> {
    const world = this.#world
    for (let count = 1 + this.#random.below(2); count > 0; count--)
      this.#users.push(await world.addMachine({ onboard: false }))
    for (let count = 1 + this.#random.below(4); count > 0; count--) {
      const offer: Resources = {
        cpu: { cores: 1 + this.#random.below(4) },
        gpus: [],
        ram: { size: (2 + this.#random.below(6)) * GIB },
        disk: { size: 20 * GIB }
      }
      const machine = await world.addMachine({ offer })
      this.#providers.push({ machine, offer })
      this.#countStarts(machine)
    }
    world.hub.setLatency(0, this.#random.below(120))
  }

  /** A workload that begins to run while its allocation is of this making. */
  #countStarts(machine: Machine): void {
    const { executions } = machine.workloads
    const set = executions.set.bind(executions)
    executions.set = (executionId, execution) => {
      const record = machine.isRunning ? machine.database.allocations.get(execution.request.jobId) : undefined
      if (record !== undefined) {
        const key = `${machine.peerId} ${record.id} ${record.createdAtMs}`
        this.#starts.set(key, (this.#starts.get(key) ?? 0) + 1)
      }
      return set(executionId, execution)
    }
  }

  async #disturb(): Promise<void> {
    await this.#deploy(this.#pick(this.#users))
    for (let step = 25 + this.#random.below(20); step > 0; step--) {
      await this.#disturbOnce()
      // Mostly short, so that the next one meets a step of a deployment in the middle.
      await this.#world.pass(
        this.#random.below(3) === 0 ? this.#random.below(15_000) : this.#random.below(800)
      )
      this.#assertNoOverbooking()
    }
  }

  async #disturbOnce(): Promise<void> {
    const world = this.#world
    const machine = this.#pick(world.machines)
    const name = `machine ${world.machines.indexOf(machine)}`
    const roll = this.#random.below(100)
    if (roll < 25) await this.#deploy(this.#pick(this.#users))
    else if (roll < 33 && machine.isRunning) {
      this.#tell(`kill ${name}`)
      await world.settle(machine.kill())
    } else if (roll < 38 && machine.isRunning) {
      this.#tell(`stop ${name}`)
      await world.settle(machine.stop())
    } else if (roll < 58) await this.#startAll()
    else if (roll < 66) this.#cut()
    else if (roll < 76) {
      this.#tell('heal')
      world.hub.heal()
    } else if (roll < 80) {
      world.hub.dropRate = this.#random.below(10) / 100
      this.#tell(`lose ${world.hub.dropRate}`)
    } else if (roll < 86) {
      const isGone = machine.workloads.unavailable === undefined
      this.#tell(`engine of ${name} ${isGone ? 'gone' : 'back'}`)
      machine.workloads.unavailable = isGone ? 'the engine is gone' : undefined
    } else await this.#shutdownOne()
  }

  #cut(): void {
    const { machines, hub } = this.#world
    const [user, provider] = [this.#pick(this.#users), this.#pick(this.#providers).machine]
    this.#tell(`cut machine ${machines.indexOf(user)} from machine ${machines.indexOf(provider)}`)
    hub.partition(user.peerId, provider.peerId)
  }

  async #deploy(user: Machine): Promise<void> {
    if (!user.isRunning) return
    const { clock } = this.#world
    const limitMs = 80_000 + this.#random.below(DEPLOYMENT_LIMIT_MS - 80_000)
    const request = { requestedBy: user.did, expiresAtMs: clock.nowMs() + limitMs }
    const created = await this.#world.settle(user.node.orchestrator.create(this.#ensemble(), request))
    assert.ok(created.ok, created.ok ? '' : renderRefusal(created.error))
    this.#tell(`deploy ${created.value.id.slice(0, 6)}`)
    this.#deployed.push({ user, id: created.value.id })
  }

  #ensemble(): Ensemble {
    const names = ['a', 'b', 'c'].slice(0, 1 + this.#random.below(3))
    const allocations = names.map(name => {
      const isTask = this.#random.below(2) === 0
      return [
        `job-${name}`,
        {
          executor: 'mock',
          type: isTask ? 'task' : 'service',
          resources: {
            cpu: { cores: 1 + this.#random.below(2) },
            ram: { size: (1 + this.#random.below(2)) * GIB },
            disk: { size: GIB }
          },
          execution: { type: 'mock', params: this.#params(isTask) },
          failure_recovery: this.#pick(['stay_down', 'one_for_one', 'one_for_all', 'rest_for_one'])
        }
      ]
    })
    const pinned = new Set<string>()
    const nodes = names.map(name => {
      const chosen = this.#random.below(5) === 0 ? this.#pick(this.#providers).machine.peerId : undefined
      // Two nodes of one peer are refused before anything happens.
      const peer = chosen !== undefined && !pinned.has(chosen) ? chosen : undefined
      if (peer !== undefined) pinned.add(peer)
      const ports = this.#random.below(3) === 0 ? [{ public: 0, private: 80, allocation: `job-${name}` }] : []
      return [name, { allocations: [`job-${name}`], ports, peer }]
    })
    return ensembleSchema.parse({
      v1: { allocations: Object.fromEntries(allocations), nodes: Object.fromEntries(nodes) }
    })
  }

  #params(isTask: boolean): Record<string, unknown> {
    const seconds = 1 + this.#random.below(60)
    return {
      run_for: isTask || this.#random.below(4) === 0 ? `${seconds}s` : 'forever',
      exit_code: this.#random.below(4) === 0 ? 3 : 0,
      stdout: 'output\n',
      ...(this.#random.below(3) === 0 ? { block_start: `${1 + this.#random.below(20)}s` } : {}),
      ...(this.#random.below(8) === 0 ? { fail_start: true } : {}),
      ...(this.#random.below(8) === 0 ? { ignore_stop: true } : {})
    }
  }

  async #shutdownOne(): Promise<void> {
    const [deployed] = this.#deployed.filter(({ user, id }) => user.isRunning && isActive(statusOf(user, id)))
    if (deployed === undefined) return
    this.#tell(`shut down ${deployed.id.slice(0, 6)}`)
    const shutdown = deployed.user.node.orchestrator.shutdown(deployed.id)
    // Its daemon may be stopped before it is done; the next one goes on with it.
    shutdown.catch(() => undefined)
  }

  async #startAll(): Promise<void> {
    for (const machine of this.#world.machines) {
      if (machine.isRunning) continue
      this.#tell(`start machine ${this.#world.machines.indexOf(machine)}`)
      await this.#world.restart(machine)
    }
  }

  /** Everything works again: each deployment gets to an end or runs. */
  async #calm(): Promise<void> {
    this.#tell('quiet')
    const { hub, machines } = this.#world
    hub.heal()
    hub.dropRate = 0
    hub.setLatency(1, 20)
    for (const machine of machines) machine.workloads.unavailable = undefined
    await this.#startAll()
    const settled = (): boolean =>
      this.#deployed.every(({ user, id }) => ['Running', 'Completed', 'Failed'].includes(statusOf(user, id)))
    await this.#until('every deployment runs or has ended', settled, 2 * DEPLOYMENT_LIMIT_MS)
    this.#assertNoOverbooking()
  }

  async #end(): Promise<void> {
    for (const { user, id } of this.#deployed) {
      if (!isActive(statusOf(user, id))) continue
      const shut = await this.#world.settle(user.node.orchestrator.shutdown(id))
      assert.ok(shut.ok || !isActive(statusOf(user, id)), `deployment ${id} could not be shut down`)
    }
    const empty = (): boolean =>
      this.#providers.every(
        ({ machine }) => machine.runningWorkloads === 0 && machine.database.reservations.list().length === 0
      )
    await this.#until('nothing is left at any provider', empty, QUIET_LIMIT_MS).catch(error => {
      throw new Error(`${error instanceof Error ? error.message : error}: ${this.#leftovers()}`)
    })
    for (const { user, id } of this.#deployed) {
      assert.ok(
        ['Completed', 'Failed'].includes(statusOf(user, id)),
        `deployment ${id} is ${statusOf(user, id)}`
      )
    }
    for (const [key, count] of this.#starts) {
      const [, id = ''] = key.split(' ')
      assert.ok(count === 1 || !this.#isTask(id), `task ${key} was started ${count} times`)
    }
    this.#assertNoFaults()
  }

  #isTask(allocationId: string): boolean {
    const [ensembleId = '', key = ''] = allocationId.split('_')
    const deployed = this.#deployed.find(({ id }) => id === ensembleId)
    assert.ok(deployed)
    const { v1 } = ensembleSchema.parse(deployed.user.node.orchestrator.record(ensembleId).ensemble)
    return v1.allocations[key.split('.')[1] ?? '']?.type === 'task'
  }

  /** Errors in the log are faults of the program: whatever others do is expected. */
  #assertNoFaults(): void {
    for (const machine of this.#world.machines) {
      const faults = machine.log.entries.filter(entry => entry.level === 'error')
      assert.deepEqual(
        faults.map(({ message, fields }) => `${message}: ${String(fields['error'] ?? fields['reason'])}`),
        []
      )
    }
  }

  #assertNoOverbooking(): void {
    for (const { machine, offer } of this.#providers) {
      if (!machine.isRunning) continue
      const taken = machine.database.reservations
        .list()
        .reduce((sum, record) => addResources(sum, record.resources), NO_RESOURCES)
      const fits =
        taken.cpu.cores <= offer.cpu.cores &&
        taken.ram.size <= offer.ram.size &&
        taken.disk.size <= offer.disk.size
      assert.ok(fits, `reserved ${JSON.stringify(taken)} of ${JSON.stringify(offer)}`)
    }
  }

  #leftovers(): string {
    return JSON.stringify(
      this.#providers.map(({ machine }) => ({
        machine: this.#world.machines.indexOf(machine),
        workloads: machine.runningWorkloads,
        reservations: machine.database.reservations.list().map(record => [record.allocationId, record.state]),
        allocations: machine.database.allocations.list().map(record => [record.id, record.status])
      }))
    )
  }

  /** Like `World.until`, in coarser steps: nothing is observed on the way. */
  async #until(what: string, condition: () => boolean, limitMs: number): Promise<void> {
    const { clock } = this.#world
    const endMs = clock.nowMs() + limitMs
    while (!condition()) {
      assert.ok(clock.nowMs() < endMs, `not within ${limitMs} ms: ${what}`)
      await clock.advance(500)
      await new Promise<void>(resolve => setImmediate(resolve))
    }
  }

  #tell(what: string): void {
    this.#story.push(`${this.#world.clock.monotonicMs()} ${what}`)
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[this.#random.below(items.length)]
    assert.ok(item !== undefined)
    return item
  }
}

function statusOf(user: Machine, id: string): DeploymentStatus {
  return user.node.orchestrator.record(id).status
}

describe('a network in which everything fails now and then', () => {
  const seeds = ONLY === undefined ? Array.from({ length: RUNS }, (_, index) => index + 1) : [Number(ONLY)]
  for (const seed of seeds) {
    it(`promises nothing twice, runs no task twice and leaves nothing behind (seed ${seed})`, async () => {
      await Simulation.run(seed)
    })
  }
})
