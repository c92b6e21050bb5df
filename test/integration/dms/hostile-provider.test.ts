/** Providers that lie, flood, or do not answer, under real nodes: the deployment goes on elsewhere, and memory and disk stay bounded. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { handleToWire } from '../../../src/actor/index.ts'
import { BEHAVIORS, BID_TOPIC, ensembleBehaviors } from '../../../src/dms/jobs/index.ts'
import { writeBid, writeDecline } from '../../../src/dms/orchestrator/index.ts'
import { generateKey } from '../../../src/lib/crypto/index.ts'
import { didOf, rootHandleOfPeer } from '../../../src/lib/did/index.ts'
import type { Handle } from '../../../src/types/index.ts'
import { refusal, renderRefusal, SeededRandom } from '../../../src/utils/index.ts'
import { type Machine, type Rogue, World } from '../../utils/world.ts'
import { assertEmpty, deploy, ensembleOf, SERVICE, shown, statusOf, untilStatus } from './support.ts'

interface Script {
  bid?: (ensembleId: string, nodes: string[]) => unknown
  commit?: () => unknown
  allocate?: (ids: string[], handle: Handle) => unknown
  start?: () => unknown
  status?: () => unknown
  logs?: (request: Record<string, unknown>) => unknown
}

const OK = { OK: true, Error: '' }
const NEVER = new Promise<undefined>(() => undefined)

/** A provider that plays a script; what is not in it is done well. */
class ScriptedProvider {
  readonly rogue: Rogue
  readonly calls: string[] = []
  #orchestrator: Handle | undefined
  ensembleId = ''
  allocations: string[] = []

  private constructor(rogue: Rogue) {
    this.rogue = rogue
  }

  static async create(world: World, script: Script): Promise<ScriptedProvider> {
    const provider = new ScriptedProvider(await world.addRogue())
    await provider.#play(script)
    return provider
  }

  get handle(): Handle {
    return rootHandleOfPeer(this.rogue.peerId)
  }

  /** Says something to the orchestrator in the name of this provider. */
  async tell(behavior: string, payload: unknown): Promise<void> {
    assert.ok(this.#orchestrator)
    await this.rogue.actor.send(this.#orchestrator, behavior, payload, { timeoutMs: 5_000 })
  }

  #on(path: string, reply: (payload: Record<string, unknown>) => unknown, topic?: string): void {
    this.rogue.actor.addBehavior({
      path,
      request: z.record(z.string(), z.unknown()),
      ...(topic ? { topic } : {}),
      handle: async ({ payload, from }) => {
        this.calls.push(path)
        this.#orchestrator = from
        return await reply(payload)
      }
    })
  }

  async #play(script: Script): Promise<void> {
    const { actor, key, context, did } = this.rogue
    const bid = (ensembleId: string, node: string): unknown =>
      writeBid({ ensembleId, node, handle: this.handle, location: {}, addresses: [], era: 'later' }, key)
    this.#on(
      BEHAVIORS.bidRequest,
      payload => {
        const wishes = z
          .array(z.object({ V1: z.object({ NodeID: z.string() }) }))
          .parse(payload['Request'])
          .map(entry => entry.V1.NodeID)
        this.ensembleId = String(payload['ID'])
        return script.bid ? script.bid(this.ensembleId, wishes) : bid(this.ensembleId, wishes[0] ?? '')
      },
      BID_TOPIC
    )
    this.#on(BEHAVIORS.commit, () => script.commit?.() ?? OK)
    this.#on(BEHAVIORS.allocate, async payload => {
      this.allocations = Object.keys(z.record(z.string(), z.unknown()).parse(payload['Allocations']))
      await this.#grant(context, did)
      const good = (): unknown => ({
        ...OK,
        Allocations: Object.fromEntries(this.allocations.map(id => [id, handleToWire(this.handle)]))
      })
      return script.allocate ? script.allocate(this.allocations, this.handle) : good()
    })
    this.#on(BEHAVIORS.revert, () => OK)
    for (const path of [BEHAVIORS.dnsAddRecords, BEHAVIORS.healthCheck, BEHAVIORS.healthCheckRegister])
      this.#free(path, () => OK)
    this.#free(BEHAVIORS.allocationStart, () => script.start?.() ?? OK)
    await actor.start()
    this.#script = script
  }

  #script: Script = {}

  /** Lets the orchestrator call what a provider opens to it at allocation, and answers there. */
  async #grant(context: Rogue['context'], did: Rogue['did']): Promise<void> {
    const orchestrator = this.#orchestrator
    assert.ok(orchestrator && orchestrator.did !== '')
    const paths = ensembleBehaviors(this.ensembleId)
    const token = await context.grant({
      action: 'delegate',
      subject: orchestrator.did,
      audience: did,
      topics: [],
      capabilities: ['/dms/allocation', '/dms/actor/healthcheck', paths.namespace],
      expiresAtNs: 2n ** 62n,
      depth: 1n
    })
    assert.ok(context.anchors.addRequire([token]).ok)
    this.#free(paths.shutdown, () => OK)
    this.#free(paths.status, () => this.#script.status?.() ?? { ...OK, Status: 'running' })
    this.#free(paths.logs, payload => this.#script.logs?.(z.record(z.string(), z.unknown()).parse(payload)))
  }

  #free(path: string, reply: (payload: unknown) => unknown): void {
    this.rogue.actor.addBehavior({
      path,
      request: z.unknown(),
      handle: async ({ payload }) => {
        this.calls.push(path)
        return await reply(payload)
      }
    })
  }
}

async function network(script: Script, options: { honest?: boolean } = {}) {
  const world = await World.create()
  const user = await world.addMachine({ onboard: false })
  const liar = await ScriptedProvider.create(world, script)
  const honest = options.honest ? await world.addMachine() : undefined
  await world.pass(100)
  return { world, user, liar, honest }
}

function events(machine: Machine, id: string, type: string): Record<string, unknown>[] {
  return machine.database.events
    .list(id, 0, 10_000)
    .filter(event => event.type === type)
    .map(event => event.data)
}

describe('a hostile provider', () => {
  it('that bids for a node it was not asked for is not chosen', async () => {
    const answers: Script = {}
    const { world, user, liar } = await network(answers)
    await using _ = world
    const other = await world.addMachine()
    answers.bid = ensembleId =>
      writeBid(
        { ensembleId, node: 'open', handle: liar.handle, location: {}, addresses: [], era: 'later' },
        liar.rogue.key
      )
    const wishes = { pinned: { peer: liar.rogue.peerId }, open: {} }
    const id = await deploy(world, user, ensembleOf(wishes), 75_000)
    await untilStatus(world, user, id, 'Failed')
    assert.match(statusOf(user, id), /nobody bid for node 'pinned'/)
    assert.ok(!liar.calls.includes(BEHAVIORS.commit))
    assertEmpty(other)
  })

  it('that says no with a tree as deep as a message is not heard, and the deployment goes on', async () => {
    const depth = 20_000
    const deep = `${'{"code":"A","message":"b","causes":['.repeat(depth)}${']}'.repeat(depth)}`
    const script: Script = {}
    const { world, user, honest } = await network(script, { honest: true })
    await using _ = world
    assert.ok(honest)
    script.bid = ensembleId => ({
      V1: null,
      Declined: { EnsembleID: ensembleId, Refusal: JSON.parse(deep), Permanent: true }
    })
    const id = await deploy(world, user, ensembleOf({ one: {} }))
    await untilStatus(world, user, id, 'Completed')
  })

  it('that says no at great length fills neither the database nor a reply', async () => {
    const long = 'x'.repeat(1999)
    const causes = Array.from({ length: 60 }, () => refusal('LONG', long))
    const { world, user } = await network({
      bid: ensembleId => writeDecline(ensembleId, refusal('LONG', long, { causes }), true)
    })
    await using _ = world
    const id = await deploy(world, user, ensembleOf({ one: {} }))
    await untilStatus(world, user, id, 'Failed')
    const [declined] = events(user, id, 'declined')
    assert.ok(JSON.stringify(declined).length < 40_000, String(JSON.stringify(declined).length))
  })

  it('that commits and never answers to allocate is given up, told to give back, and another one is taken', async () => {
    const { world, user, liar, honest } = await network({ allocate: () => NEVER }, { honest: true })
    await using _ = world
    assert.ok(honest)
    honest.workloads.unavailable = 'not yet'
    const id = await deploy(world, user, ensembleOf({ one: SERVICE }))
    await world.until('an allocate', () => liar.calls.includes(BEHAVIORS.allocate))
    honest.workloads.unavailable = undefined
    await untilStatus(world, user, id, 'Running')
    assert.equal(user.node.orchestrator.manifest(id)?.nodes['one']?.peer, honest.peerId)
    assert.ok(liar.calls.includes(BEHAVIORS.revert))
  })

  for (const [what, allocate] of [
    ['an actor of another peer', (handle: Handle, other: Handle) => ({ ...handle, address: other.address })],
    ['a foreign DID', (handle: Handle, other: Handle) => ({ ...handle, did: other.did })],
    ['no handle at all', () => undefined]
  ] as const) {
    it(`that names ${what} as its allocation is refused and reverted`, async () => {
      const script: Script = {}
      const { world, user, liar } = await network(script)
      await using _ = world
      const stranger: Handle = { ...user.node.handle, did: didOf(generateKey(new SeededRandom(9)).publicKey) }
      script.allocate = (ids, handle) => {
        const lie = allocate(handle, stranger)
        return { ...OK, Allocations: Object.fromEntries(ids.map(id => [id, lie && handleToWire(lie)])) }
      }
      const id = await deploy(world, user, ensembleOf({ one: SERVICE }))
      await untilStatus(world, user, id, 'Failed')
      assert.match(statusOf(user, id), /no usable handle/)
      assert.ok(liar.calls.includes(BEHAVIORS.revert))
    })
  }

  it('that chooses ports nobody asked for is refused', async () => {
    const { world, user } = await network({ commit: () => ({ ...OK, PortMapping: { '70000': -1 } }) })
    await using _ = world
    const id = await deploy(world, user, ensembleOf({ one: SERVICE }))
    await untilStatus(world, user, id, 'Failed')
    assert.match(statusOf(user, id), /not those asked for/)
  })

  it('cannot end the tasks of others, nor its own twice, nor a service', async () => {
    const { world, user, liar } = await network({})
    await using _ = world
    const honest = await world.addMachine()
    const id = await deploy(
      world,
      user,
      ensembleOf({
        lies: { peer: liar.rogue.peerId },
        service: { ...SERVICE, peer: honest.peerId },
        works: { peer: (await world.addMachine()).peerId, params: { run_for: '60s' } }
      })
    )
    await untilStatus(world, user, id, 'Running')
    const end = (name: string, status: string, exitCode: number): Promise<void> =>
      liar.tell(BEHAVIORS.taskTermination, {
        allocation_id: `${id}_${name}`,
        status,
        error: { err: '', exit_code: exitCode, killed: false }
      })
    await world.settle(end('works.job-works', 'completed', 0))
    await world.settle(end('service.job-service', 'completed', 0))
    await world.settle(end('lies.job-lies', 'completed', 0))
    await world.settle(end('lies.job-lies', 'failed', 9))
    await world.pass(1_000)
    assert.equal(shown(user, id, 'works.job-works'), 'running')
    assert.equal(shown(user, id, 'service.job-service'), 'running')
    assert.equal(shown(user, id, 'lies.job-lies'), 'completed')
    assert.equal(user.node.orchestrator.manifest(id)?.allocations['lies.job-lies']?.exit_code, 0)
  })

  it('that floods its orchestrator with events and nonsense is cut off', async () => {
    const { world, user, liar } = await network({})
    await using _ = world
    const id = await deploy(world, user, ensembleOf({ one: SERVICE }))
    await untilStatus(world, user, id, 'Running')
    const before = events(user, id, 'allocation').length
    for (let count = 0; count < 150; count++) {
      const status = count % 3 === 0 ? 'dancing' : 'running'
      const told = { allocation_id: `${id}_one.job-one`, status, detail: `${count} ${'y'.repeat(1900)}` }
      await world.settle(liar.tell(BEHAVIORS.allocationEvent, told))
    }
    const told = events(user, id, 'allocation').slice(before)
    assert.ok(told.length > 0 && told.length <= 60, String(told.length))
    assert.ok(told.every(data => data['status'] !== 'dancing' && String(data['detail']).length <= 500))
    assert.equal(shown(user, id, 'one.job-one'), 'running')
  })

  it('that sends its logs byte by byte, without an end, does not keep its orchestrator busy for ever', async () => {
    const script: Script = {
      logs: request => ({
        data: 'eA==',
        offset: request['offset'],
        total_size: 2 ** 50,
        eof: false,
        Error: ''
      })
    }
    const { world, user, liar } = await network(script)
    await using _ = world
    const id = await deploy(world, user, ensembleOf({ one: {} }))
    await untilStatus(world, user, id, 'Running')
    script.status = () => ({ ...OK, Status: 'completed', ExitCode: 0 })
    await untilStatus(world, user, id, 'Completed')
    const asked = liar.calls.filter(path => path === ensembleBehaviors(id).logs).length
    assert.ok(asked > 1 && asked <= 256, String(asked))
  })

  it('that sends logs which are not base64 does not keep a task from ending', async () => {
    const script: Script = { logs: () => ({ data: '%%%', total_size: 3, eof: true, Error: '' }) }
    const { world, user } = await network(script)
    await using _ = world
    const id = await deploy(world, user, ensembleOf({ one: {} }))
    await untilStatus(world, user, id, 'Running')
    await assert.rejects(
      world.settle(
        user.node.orchestrator.readLogs(id, 'one.job-one', {
          stream: 'stdout',
          offset: 0,
          maxBytes: 10,
          waitMs: 0
        })
      ),
      /not base64/
    )
    script.status = () => ({ ...OK, Status: 'completed', ExitCode: 0 })
    await untilStatus(world, user, id, 'Completed')
  })
})

describe('a round of bids', () => {
  it('gives a pinned provider its own node, though it hears the broadcast for the others as well', async () => {
    for (const seed of [1, 2, 3]) {
      await using world = await World.create({ seed })
      const user = await world.addMachine({ onboard: false })
      const providers = [await world.addMachine(), await world.addMachine()]
      const pinned = providers[0]?.peerId ?? ''
      const startedMs = world.clock.nowMs()
      const id = await deploy(
        world,
        user,
        ensembleOf({ open: SERVICE, pinned: { ...SERVICE, peer: pinned } })
      )
      await untilStatus(world, user, id, 'Running')
      assert.equal(user.node.orchestrator.manifest(id)?.nodes['pinned']?.peer, pinned)
      assert.ok(world.clock.nowMs() - startedMs < 2_000)
    }
  })

  it('is not begun for a pinned peer that is no peer id', async () => {
    await using world = await World.create()
    const user = await world.addMachine({ onboard: false })
    const created = await user.node.orchestrator.create(ensembleOf({ one: { peer: 'nobody' } }), {
      requestedBy: user.did,
      expiresAtMs: world.clock.nowMs() + 600_000
    })
    assert.ok(!created.ok)
    assert.match(renderRefusal(created.error), /node 'one': 'nobody' is not a peer id/)
  })

  it('counts a provider once per node, however often it offers the same', async () => {
    const script: Script = {}
    const { world, user, liar } = await network(script)
    await using _ = world
    script.bid = ensembleId => {
      const offer = { ensembleId, node: 'one', handle: liar.handle, location: {}, addresses: [] }
      const bid = { ...offer, era: 'later' as const, alternatives: Array.from({ length: 20 }, () => 'one') }
      return writeBid(bid, liar.rogue.key)
    }
    const id = await deploy(world, user, ensembleOf({ one: SERVICE }))
    await untilStatus(world, user, id, 'Running')
    assert.deepEqual(
      events(user, id, 'bids').map(data => data['count']),
      [1]
    )
  })

  it('leaves out peers the ensemble excludes, also when they bid', async () => {
    const { world, user, liar } = await network({})
    await using _ = world
    const id = await deploy(
      world,
      user,
      ensembleOf({ one: {} }, { exclude_peers: [liar.rogue.peerId] }),
      75_000
    )
    await untilStatus(world, user, id, 'Failed')
    assert.ok(!liar.calls.includes(BEHAVIORS.commit))
  })

  it('lets a peer that was silent once try again when nobody else is left', async () => {
    const script: Script = { commit: () => NEVER }
    const { world, user, liar } = await network(script)
    await using _ = world
    const id = await deploy(world, user, ensembleOf({ one: SERVICE }))
    await world.until('a commit', () => liar.calls.includes(BEHAVIORS.commit))
    script.commit = () => OK
    await untilStatus(world, user, id, 'Running')
  })
})
