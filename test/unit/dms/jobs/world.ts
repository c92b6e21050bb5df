/**
 * A provider on a machine that outlives it: database, mock workloads, files and time stay when the provider is
 * killed and a new one is made, as they do when a daemon is.
 */

import assert from 'node:assert/strict'
import type { Behavior, ChildActor, MessageContext } from '../../../../src/actor/index.ts'
import { type Database, openDatabase } from '../../../../src/db/index.ts'
import {
  type AllocateRequest,
  allocateRequestSchema,
  allocationEventSchema,
  type BidRequest,
  bidRequestSchema,
  type CommitRequest,
  commitRequestSchema,
  createStoredJobFiles,
  type GrantRequest,
  type HttpGet,
  Provider,
  type ProviderDeps,
  type TaskTermination,
  taskTerminationSchema
} from '../../../../src/dms/jobs/index.ts'
import { PortAllocator, ResourceManager } from '../../../../src/dms/resources/index.ts'
import type { Executor } from '../../../../src/executor/index.ts'
import { createMockExecutor, createMockWorld } from '../../../../src/executor/mock/index.ts'
import type { ActorId, Did, Handle, PeerId, Resources, Result } from '../../../../src/types/index.ts'
import {
  GIB,
  MemoryFiles,
  ok,
  refusal,
  refuse,
  SeededRandom,
  VirtualClock
} from '../../../../src/utils/index.ts'
import { MemoryLog } from '../../../utils/index.ts'

export const ENSEMBLE = 'e1'
export const WEB = 'e1_front.web'

export function handle(name: string, host = `peer-${name}`): Handle {
  // Brands only: nothing here parses them.
  return {
    id: `id-${name}` as ActorId,
    did: `did:key:${name}` as Did,
    address: { host: host as PeerId, inbox: name }
  }
}

export const ORCHESTRATOR = handle('orchestrator')
export const STRANGER = handle('stranger')

export const amount = (cores: number, gib = 1): Resources => ({
  cpu: { cores },
  ram: { size: gib * GIB },
  disk: { size: gib * GIB }
})

interface SentMessage {
  readonly behavior: string
  readonly payload: unknown
}

/** An allocation actor that keeps its behaviours to be called by the test. */
class FakeActor implements ChildActor {
  readonly handle: Handle
  readonly #key: Uint8Array
  readonly #world: ProviderWorld
  readonly behaviors = new Map<string, (payload: unknown) => Promise<unknown>>()
  isStopped = false

  constructor(world: ProviderWorld, inbox: string, key: Uint8Array) {
    this.#world = world
    this.#key = key
    this.handle = handle(`${inbox}-${Buffer.from(key).toString('hex')}`, 'peer-self')
  }

  addBehavior<Request, Reply>(behavior: Behavior<Request, Reply>): () => void {
    this.behaviors.set(behavior.path, payload => callBehavior(behavior, payload, ORCHESTRATOR))
    return () => this.behaviors.delete(behavior.path)
  }

  async send(to: Handle, behavior: string, payload: unknown): Promise<Result<void>> {
    assert.equal(to.address.inbox, ORCHESTRATOR.address.inbox)
    if (this.#world.isOrchestratorGone) return refuse(refusal('ACTOR_UNREACHABLE', 'gone'))
    this.#world.sent.push({ behavior, payload })
    return ok(undefined)
  }

  async invoke(): Promise<never> {
    throw new Error('not used')
  }
  broadcast(): never {
    throw new Error('not used')
  }
  async createChild(): Promise<never> {
    throw new Error('not used')
  }
  exportKey(): Uint8Array {
    return this.#key
  }
  async stop(): Promise<void> {
    this.isStopped = true
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

async function callBehavior<Request, Reply>(
  behavior: Behavior<Request, Reply>,
  payload: unknown,
  from: Handle
): Promise<unknown> {
  const parsed = behavior.request.safeParse(payload)
  if (!parsed.success) return behavior.onError?.({ message: parsed.error.message })
  const context: MessageContext<Request> = {
    from,
    behavior: behavior.path,
    payload: parsed.data,
    expiresAtNs: 0n,
    isBroadcast: false,
    signal: new AbortController().signal
  }
  try {
    return await behavior.handle(context)
  } catch (error) {
    return behavior.onError?.({ message: String(error), error })
  }
}

export interface WorldOptions {
  allowPrivilegedDocker?: boolean
  onboarded?: Resources | undefined
  /** Wraps the collaborators of each provider that is made: for faults. */
  wrap?: (deps: ProviderDeps) => ProviderDeps
  httpGet?: HttpGet
}

export class ProviderWorld {
  readonly clock = new VirtualClock()
  readonly log = new MemoryLog()
  readonly files = new MemoryFiles()
  readonly mock = createMockWorld()
  readonly random = new SeededRandom(1)
  readonly db: Database
  readonly sent: SentMessage[] = []
  readonly granted: GrantRequest[] = []
  readonly revoked: GrantRequest[] = []
  readonly busyPorts = new Set<number>()
  isOrchestratorGone = false
  #options: WorldOptions
  actors = new Map<string, FakeActor>()
  nodeBehaviors = new Map<string, (payload: unknown, from?: Handle) => Promise<unknown>>()
  provider: Provider
  resources: ResourceManager
  executor: Executor

  constructor(options: WorldOptions = {}) {
    this.#options = options
    this.db = openDatabase({ clock: this.clock, log: this.log }, { path: ':memory:' })
    const onboarded = 'onboarded' in options ? options.onboarded : amount(4, 8)
    if (onboarded) this.db.onboarding.save({ resources: onboarded, onboardedAtMs: 0 })
    ;({ provider: this.provider, resources: this.resources, executor: this.executor } = this.#boot())
  }

  /** Kills the daemon, as `kill -9` does, and starts a new one on the same machine. */
  async reboot(options: WorldOptions = this.#options): Promise<void> {
    this.#options = options
    await this.executor.close()
    await this.resources.stop()
    ;({ provider: this.provider, resources: this.resources, executor: this.executor } = this.#boot())
    await this.resources.start()
    await this.provider.start()
  }

  #boot(): { provider: Provider; resources: ResourceManager; executor: Executor } {
    const { clock, log, random, db } = this
    this.actors = new Map()
    this.nodeBehaviors = new Map()
    const { actors, nodeBehaviors } = this
    const executor = createMockExecutor({ clock, files: this.files }, { ownerId: 'self', world: this.mock })
    const deps: ProviderDeps = {
      db,
      resources: new ResourceManager({
        reservations: db.reservations,
        onboarding: db.onboarding,
        clock,
        log
      }),
      ports: new PortAllocator(
        { reservations: db.reservations, isPortFree: async port => !this.busyPorts.has(port) },
        { from: 16_384, to: 16_484 }
      ),
      onboarding: { status: () => ({ onboarded: db.onboarding.get() !== undefined }) },
      executors: new Map([['mock', executor]]),
      createAllocationActor: async (inbox, key) => {
        const actor = new FakeActor(this, inbox, key ?? random.bytes(4))
        actors.set(inbox, actor)
        return actor
      },
      addNodeBehavior: behavior => {
        nodeBehaviors.set(behavior.path, (payload, from = ORCHESTRATOR) =>
          callBehavior(behavior, payload, from)
        )
        return () => nodeBehaviors.delete(behavior.path)
      },
      grant: request => {
        this.granted.push(request)
        return { revoke: () => void this.revoked.push(request) }
      },
      peerId: 'peer-self' as PeerId, // a brand only
      nodeHandle: handle('node', 'peer-self'),
      location: { continent: 'Europe', country: 'DE' },
      clock,
      random,
      log,
      files: createStoredJobFiles(this.files),
      ...(this.#options.httpGet ? { httpGet: this.#options.httpGet } : {})
    }
    const wrapped = this.#options.wrap?.(deps) ?? deps
    const { allowPrivilegedDocker = false } = this.#options
    const provider = new Provider(wrapped, { workDirectory: '/work', allowPrivilegedDocker })
    return { provider, resources: deps.resources, executor }
  }

  /** Bid, commit and allocate: what an orchestrator does before it starts. */
  async place(params: Record<string, unknown>, type: 'task' | 'service' = 'task'): Promise<void> {
    const bid = await this.provider.decideBid(bidRequest(), ORCHESTRATOR)
    assert.ok(bid.ok, JSON.stringify(bid))
    const committed = await this.provider.commit(commitRequest(), ORCHESTRATOR)
    assert.equal(committed.OK, true, committed.Error)
    const allocated = await this.provider.allocate(allocateRequest(params, type), ORCHESTRATOR)
    assert.equal(allocated.OK, true, allocated.Error)
  }

  /** Calls a behaviour of an allocation's actor as its orchestrator. */
  async call(path: string, payload: unknown = {}, id = WEB): Promise<Record<string, unknown>> {
    const behavior = this.actors.get(id)?.behaviors.get(path)
    assert.ok(behavior, `no behaviour '${path}' on '${id}'`)
    return record(await behavior(payload))
  }

  /** Calls a behaviour of the node. */
  async callNode(path: string, payload: unknown, from?: Handle): Promise<Record<string, unknown>> {
    const behavior = this.nodeBehaviors.get(path)
    assert.ok(behavior, `no behaviour '${path}' on the node`)
    return record(await behavior(payload, from))
  }

  status(id = WEB): string {
    return this.provider.status(ENSEMBLE, id, ORCHESTRATOR).Status
  }

  terminations(): TaskTermination[] {
    const found = this.sent.filter(message => message.behavior === '/dms/orchestrator/task-termination')
    return found.map(message => taskTerminationSchema.parse(message.payload))
  }

  events(): string[] {
    const found = this.sent.filter(message => message.behavior === '/dms/orchestrator/allocation-event')
    return found.map(message => allocationEventSchema.parse(message.payload).status)
  }

  /** Nothing of any allocation is held: no reservation, no workload, no port. */
  assertNothingHeld(): void {
    assert.deepEqual(this.db.reservations.list(), [])
    assert.deepEqual([...this.mock.executions.keys()], [])
    assert.deepEqual(this.resources.free(), this.db.onboarding.get()?.resources)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provider.stop()
    await this.resources.stop()
    this.db.close()
  }
}

export async function startedWorld(options: WorldOptions = {}): Promise<ProviderWorld> {
  const world = new ProviderWorld(options)
  await world.resources.start()
  await world.provider.start()
  return world
}

function record(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null)
  return { ...value }
}

interface BidOverrides {
  id?: string
  nonce?: number
  entries?: Record<string, unknown>[]
  exclude?: string[]
}

export function bidEntry(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return { node_id: 'front', executors: ['mock'], resources: amount(1), ...overrides }
}

export function bidRequest({
  id = ENSEMBLE,
  nonce = 1,
  entries = [bidEntry()],
  exclude = []
}: BidOverrides = {}): BidRequest {
  return bidRequestSchema.parse({ id, nonce, request: entries.map(V1 => ({ V1 })), peer_exclusion: exclude })
}

export function commitRequest(overrides: Record<string, unknown> = {}): CommitRequest {
  return commitRequestSchema.parse({
    EnsembleID: ENSEMBLE,
    AllocationName: WEB,
    NodeID: 'front',
    Resources: amount(1),
    PortMapping: { '16400': 80 },
    ...overrides
  })
}

export function allocateRequest(
  params: Record<string, unknown>,
  type: 'task' | 'service' = 'task',
  overrides: Record<string, unknown> = {}
): AllocateRequest {
  return allocateRequestSchema.parse({
    EnsembleID: ENSEMBLE,
    NodeID: 'front',
    Allocations: {
      [WEB]: {
        Type: type,
        Executor: 'mock',
        Resources: amount(1),
        Execution: { type: 'mock', params },
        ...overrides
      }
    }
  })
}

export const START = { PortMapping: { '16400': 80 } }
