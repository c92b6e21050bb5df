/**
 * Several whole nodes in one process: the real node, orchestrator and provider code over an in-memory network,
 * mock executors and in-memory databases, under a virtual clock and a seed. Nodes can be killed and started again
 * on what they had stored.
 */

import { join } from 'node:path'
import { createRootActor, type RootActor } from '../../src/actor/index.ts'
import { CapabilityAnchors } from '../../src/daemon/capability-anchors.ts'
import { type Database, openDatabase } from '../../src/db/index.ts'
import { createStoredJobFiles } from '../../src/dms/jobs/index.ts'
import { Node } from '../../src/dms/node/index.ts'
import { createMockExecutor, createMockWorld, type MockWorld } from '../../src/executor/mock/index.ts'
import { createFixedHardware } from '../../src/hardware/index.ts'
import { generateKey, type PrivateKey, peerIdOf } from '../../src/lib/crypto/index.ts'
import { didOf, keySigner } from '../../src/lib/did/index.ts'
import {
  type CapabilityContext,
  type CapabilityFile,
  contextToFile,
  createCapabilityContext,
  createCapabilityStore,
  emptyCapabilityFile
} from '../../src/lib/ucan/index.ts'
import { createMemoryNetworkHub, type MemoryNetworkHub, type Network } from '../../src/network/index.ts'
import type { Did, PeerId, Resources } from '../../src/types/index.ts'
import { GIB, MemoryFiles, SeededRandom, systemRandom, VirtualClock } from '../../src/utils/index.ts'
import { MemoryLog } from './memory-log.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const MACHINE: Resources = {
  cpu: { cores: 8, clock_speed: 2.4e9, architecture: 'x86_64' },
  gpus: [],
  ram: { size: 16 * GIB },
  disk: { size: 100 * GIB }
}
const OFFER: Resources = { cpu: { cores: 4 }, gpus: [], ram: { size: 8 * GIB }, disk: { size: 50 * GIB } }
const CAPABILITIES = ['/dms/deployment', '/public', '/broadcast']
const DAY_NS = 86_400_000_000_000n

/** See `World.addRogue`. */
export interface Rogue {
  readonly actor: RootActor
  readonly key: PrivateKey
  readonly context: CapabilityContext
  readonly peerId: PeerId
  readonly did: Did
}

export class World implements AsyncDisposable {
  readonly clock: VirtualClock = new VirtualClock()
  readonly random: SeededRandom
  readonly hub: MemoryNetworkHub
  readonly machines: Machine[] = []
  readonly #directory: Awaited<ReturnType<typeof temporaryDirectory>>
  readonly #organisation: PrivateKey
  readonly #rogues: (() => Promise<void>)[] = []

  private constructor(seed: number, directory: Awaited<ReturnType<typeof temporaryDirectory>>) {
    this.random = new SeededRandom(seed)
    this.hub = createMemoryNetworkHub({ clock: this.clock, random: this.random })
    this.#directory = directory
    this.#organisation = generateKey(this.random)
  }

  static async create(options: { seed?: number } = {}): Promise<World> {
    return new World(options.seed ?? 1, await temporaryDirectory())
  }

  /** What the organisation signs with. */
  get organisation(): CapabilityContext {
    return createCapabilityContext({
      clock: this.clock,
      random: systemRandom,
      owner: didOf(this.#organisation.publicKey),
      signer: keySigner(this.#organisation)
    }).context
  }

  /** Something that runs in this world and is stopped with it. */
  defer(stop: () => Promise<void>): void {
    this.#rogues.push(stop)
  }

  /** A machine in the organisation's network (or a stranger), started; providers are onboarded. */
  async addMachine(
    options: { onboard?: boolean; stranger?: boolean; offer?: Resources } = {}
  ): Promise<Machine> {
    const machine = new Machine(
      this,
      generateKey(this.random),
      join(this.#directory.path, String(this.machines.length))
    )
    if (!options.stranger) await machine.join(this.#organisation)
    this.machines.push(machine)
    await machine.start()
    if (options.onboard !== false) {
      const done = await machine.node.onboarding.onboard(options.offer ?? OFFER)
      if (!done.ok) throw new Error(done.error.message)
    }
    return machine
  }

  /** An actor of a machine of the network that runs no node: a provider made by others, or one that lies. Not started. */
  async addRogue(): Promise<Rogue> {
    const key = generateKey(this.random)
    const machine = new Machine(this, key, join(this.#directory.path, 'rogue'))
    await machine.join(this.#organisation)
    const network = this.hub.createNetwork(machine.peerId)
    await network.start()
    const { clock, random } = this
    const context = machine.openContext()
    const actor = createRootActor({ network, context, privateKey: key, clock, random, log: new MemoryLog() })
    const rogue = { actor, key, context, peerId: machine.peerId, did: machine.did }
    this.#rogues.push(async () => {
      await actor.stop()
      await network.stop()
    })
    return rogue
  }

  /** Moves time in small steps until `condition` holds; gives up after `limitMs` of virtual time. */
  async until(what: string, condition: () => boolean, limitMs = 600_000): Promise<void> {
    for (let passedMs = 0; passedMs <= limitMs; passedMs += 50) {
      if (condition()) return
      await this.clock.advance(50)
      // Key operations and file writes run outside virtual time; give them room.
      await new Promise<void>(resolve => setImmediate(resolve))
    }
    throw new Error(`after ${limitMs} ms of virtual time there was still no ${what}`)
  }

  /** Lets virtual time pass while real work settles. */
  async pass(ms: number): Promise<void> {
    const endMs = this.clock.nowMs() + ms
    await this.until('passing of time', () => this.clock.nowMs() >= endMs, ms + 100)
  }

  /** Settles a promise while virtual time moves. */
  async settle<T>(promise: Promise<T>, limitMs = 600_000): Promise<T> {
    let isDone = false
    const marked = promise.finally(() => {
      isDone = true
    })
    marked.catch(() => undefined)
    await this.until('result', () => isDone, limitMs)
    return await marked
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const machine of this.machines) await this.settle(machine.stop())
    for (const stop of this.#rogues) await this.settle(stop())
    await this.#directory[Symbol.asyncDispose]()
  }

  /** Starts a killed machine again on what it had stored. */
  async restart(machine: Machine): Promise<void> {
    await this.settle(machine.start())
  }
}

export class Machine {
  readonly #world: World
  readonly #key: PrivateKey
  readonly #directory: string
  readonly peerId: PeerId
  readonly did: Did
  /** Workloads: they outlive the daemon. */
  readonly workloads: MockWorld = createMockWorld()
  readonly log: MemoryLog = new MemoryLog()
  /** The machine's disk, but for the database: in memory, because real I/O takes no virtual time. */
  readonly files: MemoryFiles = new MemoryFiles()
  /** Anchors as the capability file would hold them: dynamic grants die with the process. */
  #anchors: CapabilityFile
  #network: Network | undefined
  #node: Node | undefined
  #context: CapabilityContext | undefined
  #database: Database | undefined

  constructor(world: World, key: PrivateKey, directory: string) {
    this.#world = world
    this.#key = key
    this.#directory = directory
    this.peerId = peerIdOf(key.publicKey)
    this.did = didOf(key.publicKey)
    this.#anchors = emptyCapabilityFile(this.did)
  }

  get isRunning(): boolean {
    return this.#node !== undefined
  }

  get node(): Node {
    if (this.#node === undefined) throw new Error('the machine is not running')
    return this.#node
  }

  /** The anchors of the running node. */
  get context(): CapabilityContext {
    if (this.#node === undefined || this.#context === undefined) throw new Error('the machine is not running')
    return this.#context
  }

  get network(): Network {
    if (this.#network === undefined) throw new Error('the machine is not running')
    return this.#network
  }

  get database(): Database {
    if (this.#database === undefined) throw new Error('the machine is not running')
    return this.#database
  }

  /** Workloads that run now. */
  get runningWorkloads(): number {
    return [...this.workloads.executions.values()].filter(
      execution => execution.startedAtMs !== undefined && execution.result === undefined
    ).length
  }

  /** The organisation grants the network's capabilities; the machine trusts the organisation. */
  async join(organisation: PrivateKey): Promise<void> {
    const { clock } = this.#world
    const owner = didOf(organisation.publicKey)
    const root = createCapabilityContext({
      clock,
      random: systemRandom,
      owner,
      signer: keySigner(organisation)
    }).context
    const grant = {
      action: 'delegate',
      topics: ['/nunet'],
      capabilities: CAPABILITIES,
      expiresAtNs: clock.nowNs() + DAY_NS,
      depth: 0n
    } as const
    const context = this.openContext()
    const provided = context.anchors.addProvide([await root.grant({ ...grant, subject: this.did })])
    const required = context.anchors.addRequire([await context.grant({ ...grant, subject: owner })])
    if (!provided.ok || !required.ok) throw new Error('the anchors were not accepted')
    this.#anchors = contextToFile(context)
  }

  /** A context from what is stored, as a daemon makes it at its start. */
  openContext(): CapabilityContext {
    const { clock } = this.#world
    return createCapabilityContext(
      { clock, random: systemRandom, owner: this.did, signer: keySigner(this.#key) },
      this.#anchors
    ).context
  }

  async start(): Promise<void> {
    const { clock, random, hub } = this.#world
    const network = hub.createNetwork(this.peerId)
    await network.start()
    const database = openDatabase({ clock, log: this.log }, { path: join(this.#directory, 'dms.sqlite') })
    const executor = createMockExecutor(
      { clock, log: this.log, files: this.files },
      { ownerId: this.peerId, world: this.workloads }
    )
    this.#network = network
    this.#database = database
    const store = createCapabilityStore(
      { files: this.files, clock, random: systemRandom },
      { directory: '/cap' }
    )
    if (!(await store.exists('dms'))) await store.save('dms', this.#anchors)
    const anchors = await CapabilityAnchors.open(
      { store, clock, random: systemRandom, log: this.log },
      'dms',
      this.#key
    )
    this.#context = anchors.context
    const node = new Node(
      {
        network,
        context: anchors.context,
        anchors,
        privateKey: this.#key,
        database,
        hardware: createFixedHardware(MACHINE),
        executors: new Map([['mock', executor]]),
        files: this.files,
        providerSeams: { files: createStoredJobFiles(this.files) },
        isPortFree: async () => true,
        clock,
        random,
        log: this.log,
        setLogLevel: () => undefined
      },
      {
        workDirectory: this.#directory,
        location: {},
        portRange: { from: 16_384, to: 65_535 },
        allowPrivilegedDocker: false
      }
    )
    this.#node = node
    await node.start()
  }

  /** A polite stop: workloads go on. */
  async stop(): Promise<void> {
    const [node, network, database] = [this.#node, this.#network, this.#database]
    this.#node = undefined
    this.#network = undefined
    this.#database = undefined
    await node?.stop()
    await network?.stop()
    database?.close()
  }

  /** A power cut: nothing is told to anybody and nothing more is stored; only the workloads go on. */
  async kill(): Promise<void> {
    const [node, network, database] = [this.#node, this.#network, this.#database]
    this.#node = undefined
    this.#network = undefined
    this.#database = undefined
    database?.close()
    await network?.stop()
    // The dead process's objects must not act again; their database and network are gone already.
    await node?.stop().catch(() => undefined)
  }
}
