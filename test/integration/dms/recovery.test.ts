/** Nodes are killed at every stage of a deployment and started again: nothing is lost, nothing is left behind. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Ensemble } from '../../../src/dms/ensemble/index.ts'
import { ensembleSchema } from '../../../src/dms/ensemble/index.ts'
import { renderRefusal } from '../../../src/utils/index.ts'
import { type Machine, World } from '../../utils/world.ts'

function service(
  params: Record<string, unknown> = { run_for: 'forever', stdout: 'serving\n' },
  type = 'service'
): Ensemble {
  return ensembleSchema.parse({
    v1: {
      allocations: {
        job: {
          executor: 'mock',
          type,
          resources: { cpu: { cores: 1 }, ram: { size: 2 ** 30 }, disk: { size: 2 ** 30 } },
          execution: { type: 'mock', params }
        }
      },
      nodes: { node: { allocations: ['job'] } }
    }
  })
}

async function deploy(world: World, machine: Machine, ensemble: Ensemble): Promise<string> {
  const created = await world.settle(
    machine.node.orchestrator.create(ensemble, {
      requestedBy: machine.did,
      expiresAtMs: world.clock.nowMs() + 600_000
    })
  )
  assert.ok(created.ok)
  return created.value.id
}

function status(machine: Machine, id: string): string {
  const record = machine.node.orchestrator.record(id)
  return record.status === 'Failed' && record.error ? `Failed: ${renderRefusal(record.error)}` : record.status
}

async function network(): Promise<{ world: World; user: Machine; provider: Machine }> {
  const world = await World.create()
  const user = await world.addMachine({ onboard: false })
  const provider = await world.addMachine()
  return { world, user, provider }
}

describe('a killed node', () => {
  it('that orchestrated a running service finds the deployment again and can read its output and shut it down', async () => {
    const { world, user, provider } = await network()
    await using _ = world
    const id = await deploy(world, user, service())
    await world.until('running', () => status(user, id) === 'Running')
    await world.settle(user.kill())
    await world.pass(5_000)
    assert.equal(provider.runningWorkloads, 1)
    await world.restart(user)
    assert.equal(status(user, id), 'Running')
    const chunk = await world.settle(
      user.node.orchestrator.readLogs(id, 'node.job', {
        stream: 'stdout',
        offset: 0,
        maxBytes: 100,
        waitMs: 0
      })
    )
    assert.equal(Buffer.from(chunk.data).toString(), 'serving\n')
    const shut = await world.settle(user.node.orchestrator.shutdown(id))
    assert.ok(shut.ok)
    assert.deepEqual(shut.value, [])
    assert.equal(provider.runningWorkloads, 0)
    assert.deepEqual(provider.database.reservations.list(), [])
  })

  it('that provided a running service adopts it, and its orchestrator goes on with the same handle', async () => {
    const { world, user, provider } = await network()
    await using _ = world
    const id = await deploy(world, user, service())
    await world.until('running', () => status(user, id) === 'Running')
    await world.settle(provider.kill())
    await world.pass(2_000)
    await world.restart(provider)
    assert.equal(provider.runningWorkloads, 1)
    const chunk = await world.settle(
      user.node.orchestrator.readLogs(id, 'node.job', {
        stream: 'stdout',
        offset: 0,
        maxBytes: 100,
        waitMs: 0
      })
    )
    assert.equal(Buffer.from(chunk.data).toString(), 'serving\n')
    const shut = await world.settle(user.node.orchestrator.shutdown(id))
    assert.ok(shut.ok)
    assert.deepEqual(shut.value, [])
    assert.deepEqual(provider.database.reservations.list(), [])
  })

  it('that provides is shown as unknown while it is away, never as running', async () => {
    const { world, user, provider } = await network()
    await using _ = world
    const id = await deploy(world, user, service())
    await world.until('running', () => status(user, id) === 'Running')
    await world.settle(provider.kill())
    const shown = (): string | undefined =>
      user.node.orchestrator.manifest(id)?.allocations['node.job']?.status
    await world.until("status 'unknown'", () => shown() === 'unknown', 120_000)
    await world.restart(provider)
    await world.until("status 'running'", () => shown() === 'running', 60_000)
  })

  it('that provided a task reports its end after the restart, exit code and output included', async () => {
    const { world, user, provider } = await network()
    await using _ = world
    const id = await deploy(
      world,
      user,
      service({ run_for: '20s', exit_code: 3, stdout: 'half the work\n' }, 'task')
    )
    await world.until('running', () => status(user, id) === 'Running')
    await world.settle(provider.kill())
    await world.pass(60_000)
    await world.restart(provider)
    await world.until('an end', () => status(user, id).startsWith('Failed'), 120_000)
    assert.match(status(user, id), /exit code 3/)
    const chunk = await user.node.orchestrator.readLogs(id, 'node.job', {
      stream: 'stdout',
      offset: 0,
      maxBytes: 100,
      waitMs: 0
    })
    assert.equal(Buffer.from(chunk.data).toString(), 'half the work\n')
    assert.deepEqual(provider.database.reservations.list(), [])
  })

  it('that provides, killed between commit and allocate, frees its reservation', async () => {
    const { world, user, provider } = await network()
    await using _ = world
    world.hub.setLatency(200)
    await deploy(world, user, service())
    await world.until('a commit', () =>
      provider.database.reservations.list().some(record => record.state === 'committed')
    )
    await world.settle(provider.kill())
    await world.settle(user.kill())
    await world.restart(provider)
    assert.equal(provider.database.reservations.list().length, 1)
    await world.pass(6 * 60_000)
    assert.deepEqual(provider.database.reservations.list(), [])
  })

  for (const stage of ['Preparing', 'Committing', 'Provisioning'] as const) {
    it(`that orchestrated, killed while '${stage}', goes on after the restart until the service runs once`, async () => {
      const { world, user, provider } = await network()
      await using _ = world
      world.hub.setLatency(150)
      const id = await deploy(world, user, service({ run_for: 'forever', block_start: '2s' }))
      await world.until(stage, () => status(user, id) === stage)
      await world.settle(user.kill())
      await world.pass(1_000)
      await world.restart(user)
      await world.until('running', () => status(user, id) === 'Running', 400_000)
      await world.pass(5_000)
      assert.equal(provider.runningWorkloads, 1)
      assert.equal(provider.database.reservations.list().length, 1)
    })
  }

  it('that orchestrated, killed while shutting down, finishes the shutdown after the restart', async () => {
    const { world, user, provider } = await network()
    await using _ = world
    world.hub.setLatency(150)
    const id = await deploy(world, user, service())
    await world.until('running', () => status(user, id) === 'Running')
    void user.node.orchestrator.shutdown(id).catch(() => undefined)
    await world.until('shutting down', () => status(user, id) === 'ShuttingDown')
    await world.settle(user.kill())
    await world.restart(user)
    await world.until('an end', () => status(user, id) === 'Completed')
    await world.until(
      'nothing left',
      () => provider.runningWorkloads === 0 && provider.database.reservations.list().length === 0
    )
  })
})
