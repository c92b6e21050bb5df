/** Deployments from request to end over whole nodes in one process. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Ensemble } from '../../../src/dms/ensemble/index.ts'
import { ensembleSchema } from '../../../src/dms/ensemble/index.ts'
import { renderRefusal } from '../../../src/utils/index.ts'
import { type Machine, World } from '../../utils/world.ts'

interface Wish {
  params?: Record<string, unknown>
  type?: 'task' | 'service'
  cores?: number
  recovery?: string
}

/** An ensemble of one allocation per node. */
function ensembleOf(
  nodes: Record<string, Wish>,
  extra: Record<string, Record<string, unknown>> = {}
): Ensemble {
  const allocations = Object.entries(nodes).map(([name, wish]) => [
    `${name}-job`,
    {
      executor: 'mock',
      type: wish.type ?? 'task',
      resources: { cpu: { cores: wish.cores ?? 1 }, ram: { size: 2 ** 30 }, disk: { size: 2 ** 30 } },
      execution: { type: 'mock', params: wish.params ?? { run_for: '2s', stdout: `hello from ${name}\n` } },
      failure_recovery: wish.recovery ?? 'stay_down'
    }
  ])
  const nodeSpecs = Object.keys(nodes).map(name => [name, { allocations: [`${name}-job`], ...extra[name] }])
  return ensembleSchema.parse({
    v1: { allocations: Object.fromEntries(allocations), nodes: Object.fromEntries(nodeSpecs) }
  })
}

async function deploy(
  world: World,
  machine: Machine,
  ensemble: Ensemble,
  limitMs = 120_000
): Promise<string> {
  const request = { requestedBy: machine.did, expiresAtMs: world.clock.nowMs() + limitMs }
  const created = await world.settle(machine.node.orchestrator.create(ensemble, request))
  assert.ok(created.ok, created.ok ? '' : renderRefusal(created.error))
  return created.value.id
}

function statusOf(machine: Machine, id: string): string {
  return machine.node.orchestrator.record(id).status
}

async function untilStatus(
  world: World,
  machine: Machine,
  id: string,
  status: string,
  limitMs?: number
): Promise<void> {
  const wanted = (): boolean => {
    const record = machine.node.orchestrator.record(id)
    if (record.status === 'Failed' && status !== 'Failed')
      assert.fail(record.error ? renderRefusal(record.error) : 'failed')
    return record.status === status
  }
  await world.until(`status '${status}'`, wanted, limitMs)
}

/** Nothing is left at a provider: no reservation, no running workload. */
function assertEmpty(machine: Machine): void {
  assert.deepEqual(machine.database.reservations.list(), [])
  assert.equal(machine.runningWorkloads, 0)
}

describe('a deployment', () => {
  it('runs one task on one provider, brings its output and exit code back and frees what it used', async () => {
    await using world = await World.create()
    const user = await world.addMachine({ onboard: false })
    const provider = await world.addMachine()
    const id = await deploy(world, user, ensembleOf({ one: {} }))
    await untilStatus(world, user, id, 'Completed')
    const manifest = user.node.orchestrator.manifest(id)
    assert.equal(manifest?.allocations['one.one-job']?.status, 'completed')
    assert.equal(manifest?.allocations['one.one-job']?.exit_code, 0)
    assert.equal(manifest?.nodes['one']?.peer, provider.peerId)
    const chunk = await user.node.orchestrator.readLogs(id, 'one.one-job', {
      stream: 'stdout',
      offset: 0,
      maxBytes: 1000,
      waitMs: 0
    })
    assert.equal(Buffer.from(chunk.data).toString(), 'hello from one\n')
    assertEmpty(provider)
  })

  it('spreads two nodes over two providers', async () => {
    await using world = await World.create()
    const user = await world.addMachine({ onboard: false })
    const providers = [await world.addMachine(), await world.addMachine()]
    const id = await deploy(world, user, ensembleOf({ one: {}, two: {} }))
    await untilStatus(world, user, id, 'Completed')
    const peers = Object.values(user.node.orchestrator.manifest(id)?.nodes ?? {}).map(node => node.peer)
    assert.deepEqual(peers.sort(), providers.map(provider => provider.peerId).sort())
  })

  it('places as many nodes as there are providers in one round, whoever bids for what first', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      await using world = await World.create({ seed })
      const user = await world.addMachine({ onboard: false })
      for (let count = 0; count < 4; count++) await world.addMachine()
      const id = await deploy(world, user, ensembleOf({ one: {}, two: {}, three: {}, four: {} }))
      await untilStatus(world, user, id, 'Completed')
      const rounds = user.database.events
        .list(id, 0)
        .filter(event => event.type === 'bids' && event.data['node'] === 'one')
      assert.equal(rounds.length, 1)
    }
  })

  it('does not wait out the bid window when everyone has answered', async () => {
    await using world = await World.create()
    const user = await world.addMachine({ onboard: false })
    await world.addMachine()
    await world.addMachine()
    const startedMs = world.clock.nowMs()
    const id = await deploy(world, user, ensembleOf({ one: { params: { run_for: '1ms' } } }))
    await untilStatus(world, user, id, 'Completed')
    assert.ok(world.clock.nowMs() - startedMs < 2_000, `took ${world.clock.nowMs() - startedMs} ms`)
  })

  it('fails at once, and says for each node what each provider lacks, when no provider can ever take it', async () => {
    await using world = await World.create()
    const user = await world.addMachine({ onboard: false })
    await world.addMachine()
    await world.addMachine()
    const id = await deploy(world, user, ensembleOf({ big: { cores: 64 } }))
    await untilStatus(world, user, id, 'Failed', 10_000)
    const { error } = user.node.orchestrator.record(id)
    assert.ok(error)
    const text = renderRefusal(error)
    assert.match(text, /nobody bid for node 'big'/)
    assert.equal(text.match(/asked 64 cores, 4 free/g)?.length, 2, text)
  })

  it('fails with the exit code of a task that failed', async () => {
    await using world = await World.create()
    const user = await world.addMachine({ onboard: false })
    const provider = await world.addMachine()
    const id = await deploy(
      world,
      user,
      ensembleOf({ one: { params: { exit_code: 7, stderr: 'no such luck\n' } } })
    )
    await untilStatus(world, user, id, 'Failed')
    const record = user.node.orchestrator.record(id)
    assert.match(record.error ? renderRefusal(record.error) : '', /exit code 7/)
    const chunk = await user.node.orchestrator.readLogs(id, 'one.one-job', {
      stream: 'stderr',
      offset: 0,
      maxBytes: 1000,
      waitMs: 0
    })
    assert.equal(Buffer.from(chunk.data).toString(), 'no such luck\n')
    assertEmpty(provider)
  })

  it('takes another provider when the chosen one loses its engine before the start', async () => {
    await using world = await World.create()
    const user = await world.addMachine({ onboard: false })
    const providers = [await world.addMachine(), await world.addMachine()]
    world.hub.setLatency(60)
    const id = await deploy(
      world,
      user,
      ensembleOf({ one: { type: 'service', params: { run_for: 'forever' } } })
    )
    await world.until(
      'a candidate',
      () => statusOf(user, id) === 'Committing' || statusOf(user, id) === 'Provisioning'
    )
    const first = user.node.orchestrator.manifest(id)?.nodes['one']?.peer
    const bad = providers.find(provider => provider.peerId === first)
    const good = providers.find(provider => provider.peerId !== first)
    assert.ok(bad && good)
    bad.workloads.unavailable = 'the engine has gone'
    await untilStatus(world, user, id, 'Running')
    assert.equal(user.node.orchestrator.manifest(id)?.nodes['one']?.peer, good.peerId)
    assert.deepEqual(bad.database.reservations.list(), [])
  })

  it('can be shut down before it runs, and gives back what was locked', async () => {
    await using world = await World.create()
    const user = await world.addMachine({ onboard: false })
    const provider = await world.addMachine()
    const id = await deploy(world, user, ensembleOf({ one: { params: { block_start: true } } }))
    await world.until('provisioning', () => statusOf(user, id) === 'Provisioning')
    const shut = await world.settle(user.node.orchestrator.shutdown(id))
    assert.ok(shut.ok)
    assert.equal(statusOf(user, id), 'Completed')
    await world.pass(1_000)
    assertEmpty(provider)
  })

  it('gets no bid from a provider that does not trust its organisation, and waits no longer than it was told', async () => {
    await using world = await World.create()
    const user = await world.addMachine({ onboard: false })
    const stranger = await world.addMachine({ stranger: true })
    const id = await deploy(world, user, ensembleOf({ one: {} }), 60_000)
    await untilStatus(world, user, id, 'Failed', 61_000)
    const record = user.node.orchestrator.record(id)
    assert.match(
      record.error ? renderRefusal(record.error) : '',
      /1 of 1 providers that listen did not answer/
    )
    assertEmpty(stranger)
  })

  it('fails after one silent round when its own node holds no token to ask with, and says what it lacks', async () => {
    await using world = await World.create()
    const outsider = await world.addMachine({ onboard: false, stranger: true })
    await world.addMachine()
    const id = await deploy(world, outsider, ensembleOf({ one: {} }), 600_000)
    await untilStatus(world, outsider, id, 'Failed', 10_000)
    const record = outsider.node.orchestrator.record(id)
    const told = record.error ? renderRefusal(record.error) : ''
    assert.match(told, /1 of 1 providers that listen did not answer/)
    assert.match(told, /holds no token to broadcast '\/dms\/deployment\/request' .* \(UCAN_NO_PROOF\)/)
  })

  it('keeps a service running until it is shut down, and its output can be read meanwhile', async () => {
    await using world = await World.create()
    const user = await world.addMachine({ onboard: false })
    const provider = await world.addMachine()
    const id = await deploy(
      world,
      user,
      ensembleOf({ web: { type: 'service', params: { run_for: 'forever', stdout: 'serving\n' } } })
    )
    await untilStatus(world, user, id, 'Running')
    await world.pass(3_000)
    assert.equal(statusOf(user, id), 'Running')
    assert.equal(provider.runningWorkloads, 1)
    const reading = user.node.orchestrator.readLogs(id, 'web.web-job', {
      stream: 'stdout',
      offset: 0,
      maxBytes: 1000,
      waitMs: 0
    })
    assert.equal(Buffer.from((await world.settle(reading)).data).toString(), 'serving\n')
    await world.settle(user.node.orchestrator.shutdown(id))
    assertEmpty(provider)
  })
})
