/** Shutdowns, daemon stops and lost lines at every stage: nothing is forgotten at a provider, nothing is left in memory. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DeploymentStatus } from '../../../src/db/index.ts'
import { World } from '../../utils/world.ts'
import { assertEmpty, deploy, ensembleOf, isEmpty, SERVICE, shown, statusOf, untilStatus } from './support.ts'

async function network(providers = 1) {
  const world = await World.create()
  const user = await world.addMachine({ onboard: false })
  const provider = await world.addMachine()
  for (let more = 1; more < providers; more++) await world.addMachine()
  return { world, user, provider }
}

const SLOW = { ...SERVICE, params: { run_for: 'forever', block_start: '2s' } }
const STAGES: readonly DeploymentStatus[] = ['Preparing', 'Committing', 'Provisioning', 'Running']

describe('a daemon that stops', () => {
  for (const stage of STAGES) {
    it(`while a deployment is '${stage}' stops at once, leaves it as it is, and goes on at the next start`, async () => {
      const { world, user, provider } = await network()
      await using _ = world
      world.hub.setLatency(150)
      const id = await deploy(world, user, ensembleOf({ one: SLOW }))
      await untilStatus(world, user, id, stage)
      const startedMs = world.clock.nowMs()
      await world.settle(user.stop())
      assert.ok(world.clock.nowMs() - startedMs <= 1_000, `took ${world.clock.nowMs() - startedMs} ms`)
      await world.restart(user)
      await untilStatus(world, user, id, 'Running', 400_000)
      await world.pass(3_000)
      assert.equal(provider.runningWorkloads, 1)
      assert.equal(provider.database.reservations.list().length, 1)
    })
  }

  it('in the middle of a shutdown does not call it done, and finishes it at the next start', async () => {
    const { world, user, provider } = await network()
    await using _ = world
    world.hub.setLatency(150)
    const id = await deploy(world, user, ensembleOf({ one: SERVICE }))
    await untilStatus(world, user, id, 'Running')
    const shutdown = user.node.orchestrator.shutdown(id)
    shutdown.catch(() => undefined)
    await untilStatus(world, user, id, 'ShuttingDown')
    await world.settle(user.stop())
    await assert.rejects(shutdown, /the daemon is stopping/)
    await world.restart(user)
    await untilStatus(world, user, id, 'Completed')
    await world.pass(1_000)
    assertEmpty(provider)
  })

  it('while it gives back what was committed gives it back at the next start', async () => {
    const { world, user, provider } = await network()
    await using _ = world
    world.hub.setLatency(150)
    const id = await deploy(world, user, ensembleOf({ one: SLOW }))
    await untilStatus(world, user, id, 'Provisioning')
    const shutdown = user.node.orchestrator.shutdown(id)
    shutdown.catch(() => undefined)
    await world.settle(user.stop())
    await world.restart(user)
    // The shutdown was asked for and not begun: the deployment goes on, or is shut down again.
    await untilStatus(world, user, id, 'Running')
    await world.settle(user.node.orchestrator.shutdown(id))
    await world.pass(1_000)
    assertEmpty(provider)
  })
})

describe('a shutdown', () => {
  for (const stage of STAGES) {
    it(`of a deployment that is '${stage}' leaves nothing at the provider and nothing in memory`, async () => {
      const { world, user, provider } = await network()
      await using _ = world
      world.hub.setLatency(100)
      await world.pass(10_000)
      const timers = world.clock.pendingTimers
      const id = await deploy(world, user, ensembleOf({ one: SLOW }))
      await untilStatus(world, user, id, stage)
      await world.settle(user.node.orchestrator.shutdown(id))
      assert.equal(statusOf(user, id), 'Completed')
      await world.pass(10_000)
      assertEmpty(provider)
      assert.equal(user.node.orchestrator.active(id), undefined)
      assert.ok(world.clock.pendingTimers <= timers, `${world.clock.pendingTimers} timers, ${timers} before`)
      assert.equal(provider.log.entries.filter(entry => entry.level === 'error').length, 0)
    })
  }

  it('asked for twice at once is one, with one answer', async () => {
    const { world, user, provider } = await network()
    await using _ = world
    world.hub.setLatency(50)
    const id = await deploy(world, user, ensembleOf({ one: SERVICE }))
    await untilStatus(world, user, id, 'Running')
    const { orchestrator } = user.node
    const [first, second] = await world.settle(
      Promise.all([orchestrator.shutdown(id), orchestrator.shutdown(id)])
    )
    assert.ok(first.ok && second.ok)
    assert.deepEqual([first.value, second.value], [[], []])
    const ended = user.database.events.list(id, 0).filter(event => event.data['status'] === 'Completed')
    assert.equal(ended.length, 1)
    assertEmpty(provider)
  })

  it('that meets the end of a task keeps the end the task had', async () => {
    const { world, user, provider } = await network()
    await using _ = world
    world.hub.setLatency(100)
    const id = await deploy(world, user, ensembleOf({ one: { params: { run_for: '5s', exit_code: 3 } } }))
    await untilStatus(world, user, id, 'Running')
    await world.until('an end', () => provider.runningWorkloads === 0)
    await world.settle(user.node.orchestrator.shutdown(id))
    assert.match(statusOf(user, id), /Completed|Failed/)
    assert.equal(shown(user, id, 'one.job-one'), 'failed')
    assert.equal(user.node.orchestrator.manifest(id)?.allocations['one.job-one']?.exit_code, 3)
  })

  it('gives back the place of a service that has failed and stays down', async () => {
    const { world, user, provider } = await network()
    await using _ = world
    const id = await deploy(
      world,
      user,
      ensembleOf({ one: { ...SERVICE, params: { run_for: '3s', exit_code: 1 } } })
    )
    await untilStatus(world, user, id, 'Running')
    await world.until('a failure', () => shown(user, id, 'one.job-one') === 'failed')
    assert.equal(provider.database.reservations.list().length, 1)
    await world.settle(user.node.orchestrator.shutdown(id))
    assertEmpty(provider)
  })

  for (const restarts of [false, true]) {
    it(`that a provider could not hear is told to it later${restarts ? ', also by a restarted daemon' : ''}`, async () => {
      const { world, user, provider } = await network()
      await using _ = world
      const id = await deploy(world, user, ensembleOf({ one: SERVICE }))
      await untilStatus(world, user, id, 'Running')
      world.hub.partition(user.peerId, provider.peerId)
      const shut = await world.settle(user.node.orchestrator.shutdown(id))
      assert.ok(shut.ok && shut.value.length === 1)
      assert.equal(statusOf(user, id), 'Completed')
      assert.equal(provider.runningWorkloads, 1)
      if (restarts) {
        await world.settle(user.kill())
        await world.restart(user)
      }
      await world.pass(60_000)
      world.hub.heal()
      await world.until('nothing left', () => isEmpty(provider))
      await world.until('an end', () => user.node.orchestrator.active(id) === undefined)
      assert.deepEqual(await user.node.orchestrator.prune({}), [id])
    })
  }
})

describe('a deployment', () => {
  it('whose provider vanished while starting finds another, and what the lost one holds is given back', async () => {
    const { world, user } = await network(2)
    await using _ = world
    const id = await deploy(
      world,
      user,
      ensembleOf({ one: { ...SERVICE, params: { run_for: 'forever', block_start: '3s' } } })
    )
    await untilStatus(world, user, id, 'Provisioning')
    const first = user.node.orchestrator.manifest(id)?.nodes['one']?.peer
    const lost = world.machines.find(machine => machine.peerId === first)
    assert.ok(lost)
    await world.pass(1_000)
    world.hub.partition(user.peerId, lost.peerId)
    await untilStatus(world, user, id, 'Running', 500_000)
    assert.notEqual(user.node.orchestrator.manifest(id)?.nodes['one']?.peer, first)
    world.hub.heal()
    await world.until('nothing left', () => isEmpty(lost), 500_000)
    assert.equal(
      world.machines.reduce((sum, machine) => sum + machine.runningWorkloads, 0),
      1
    )
  })

  it('whose last task ended just before a crash is ended at the next start', async () => {
    const { world, user } = await network()
    await using _ = world
    const id = await deploy(world, user, ensembleOf({ one: {} }))
    await untilStatus(world, user, id, 'Completed')
    const record = user.node.orchestrator.record(id)
    const { completedAtMs: _at, ...rest } = record
    user.database.deployments.save({ ...rest, status: 'Running' })
    await world.settle(user.kill())
    await world.restart(user)
    await untilStatus(world, user, id, 'Completed')
  })

  it('that was cut off while provisioning and cannot go on there begins anew', async () => {
    const { world, user } = await network(2)
    await using _ = world
    const id = await deploy(world, user, ensembleOf({ one: SLOW }))
    await untilStatus(world, user, id, 'Provisioning')
    const first = user.node.orchestrator.manifest(id)?.nodes['one']?.peer
    const lost = world.machines.find(machine => machine.peerId === first)
    assert.ok(lost)
    await world.settle(user.kill())
    await world.settle(lost.kill())
    await world.restart(user)
    await untilStatus(world, user, id, 'Running', 500_000)
    assert.notEqual(user.node.orchestrator.manifest(id)?.nodes['one']?.peer, first)
  })

  it('whose output cannot be stored, because the disk is full, ends all the same', async () => {
    const { world, user } = await network()
    await using _ = world
    user.files.writeAtomic = async () => {
      throw new Error('no space left on device')
    }
    const id = await deploy(world, user, ensembleOf({ one: {} }))
    await untilStatus(world, user, id, 'Completed')
    assert.equal(user.node.orchestrator.manifest(id)?.allocations['one.job-one']?.exit_code, 0)
  })

  it('whose changes cannot be stored for a while is not forgotten by supervision', async () => {
    const { world, user, provider } = await network()
    await using _ = world
    const id = await deploy(
      world,
      user,
      ensembleOf({ one: { ...SERVICE, params: { run_for: '30s', exit_code: 1 } } })
    )
    await untilStatus(world, user, id, 'Running')
    const { deployments } = user.database
    const save = deployments.save
    deployments.save = () => {
      throw new Error('database is full')
    }
    await world.until('an end', () => provider.runningWorkloads === 0)
    await world.pass(30_000)
    assert.equal(shown(user, id, 'one.job-one'), 'running')
    deployments.save = save
    await world.until('the end to be seen', () => shown(user, id, 'one.job-one') === 'failed')
  })

  it('that cannot be stored at all is an error, and leaves no actor behind', async () => {
    const { world, user } = await network()
    await using _ = world
    const { deployments } = user.database
    const save = deployments.save
    deployments.save = () => {
      throw new Error('database is full')
    }
    const request = { requestedBy: user.did, expiresAtMs: world.clock.nowMs() + 600_000 }
    await assert.rejects(user.node.orchestrator.create(ensembleOf({ one: {} }), request), /database is full/)
    deployments.save = save
    assert.equal(user.node.orchestrator.find({}).total, 0)
    const id = await deploy(world, user, ensembleOf({ one: {} }))
    await untilStatus(world, user, id, 'Completed')
  })
})
