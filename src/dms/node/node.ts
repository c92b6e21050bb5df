/**
 * The node: the root actor with all its behaviours, and the services behind them. Everything it needs comes in as
 * a collaborator, so that hundreds of nodes can live in one process under a virtual clock.
 */

import { createRootActor, type RootActor } from '../../actor/index.ts'
import type { Database } from '../../db/index.ts'
import type { Executor } from '../../executor/index.ts'
import type { Hardware } from '../../hardware/index.ts'
import type { PrivateKey } from '../../lib/crypto/index.ts'
import { didOfActorId, rootHandleOfPeer } from '../../lib/did/index.ts'
import type { CapabilityContext, Token } from '../../lib/ucan/index.ts'
import type { Network } from '../../network/index.ts'
import type {
  AbortOptions,
  Clock,
  FileStore,
  Handle,
  Logger,
  LogLevel,
  RandomSource,
  Startable
} from '../../types/index.ts'
import { childPath, errorMessage } from '../../utils/index.ts'
import type { LocationSpec } from '../ensemble/index.ts'
import { ExpiryWatch, endOf, type StaticAnchors } from '../expiry/index.ts'
import { type Grant, GrantKeeper } from '../grants/index.ts'
import {
  BEHAVIORS,
  BID_TOPIC,
  Provider,
  type ProviderDeps,
  type GrantRequest as ProviderGrantRequest
} from '../jobs/index.ts'
import { Onboarding } from '../onboarding/index.ts'
import { Orchestrator } from '../orchestrator/index.ts'
import { PortAllocator, type PortRange, ResourceManager } from '../resources/index.ts'
import { type AnchorKeeper, Revocations } from '../revocation/index.ts'
import { capabilityBehaviors } from './behaviors/capabilities.ts'
import { deploymentBehaviors } from './behaviors/deployment.ts'
import { loggerBehaviors } from './behaviors/logger.ts'
import { peerBehaviors } from './behaviors/peers.ts'
import { providerBehaviors } from './behaviors/provider.ts'
import { publicBehaviors } from './behaviors/public.ts'
import { resourceBehaviors } from './behaviors/resources.ts'
import { revocationBehaviors } from './behaviors/revocations.ts'
import { statusBehaviors } from './behaviors/status.ts'
import type { Declaration } from './declare.ts'

/** Collaborators of a node. They belong to the caller, who closes them after `stop`. */
export interface NodeDeps {
  network: Network
  context: CapabilityContext
  /** Writes changes of the context's anchors where they last. */
  anchors: AnchorKeeper
  /** Tokens as they are stored: those that ended are told of, also when they did while the node was down. */
  storedAnchors?: () => Pick<StaticAnchors, 'provide' | 'require'>
  /** Key of the node: of its peer id, its root actor and its DID. */
  privateKey: PrivateKey
  database: Database
  hardware: Hardware
  executors: ReadonlyMap<string, Executor>
  files: FileStore
  /** Whether a TCP port of this host can be bound now. */
  isPortFree: (port: number) => Promise<boolean>
  clock: Clock
  random: RandomSource
  log: Logger
  setLogLevel: (level: LogLevel) => void
  /** Replacements for the disk and HTTP in simulations; see `ProviderDeps`. */
  providerSeams?: Pick<ProviderDeps, 'files' | 'httpGet'>
}

/** Settings of a node. */
export interface NodeOptions {
  /** Name of the capability context, for the commands the node recommends. Default: `dms`, as is the convention. */
  contextName?: string
  workDirectory: string
  location: LocationSpec
  portRange: PortRange
  allowPrivilegedDocker: boolean
}

/** One machine of the network. Started once; the caller starts and stops network, database and executors. */
export class Node implements Startable {
  readonly #deps: NodeDeps
  readonly #options: NodeOptions
  readonly actor: RootActor
  readonly handle: Handle
  readonly resources: ResourceManager
  readonly onboarding: Onboarding
  readonly provider: Provider
  readonly orchestrator: Orchestrator
  readonly revocations: Revocations
  /** How long what the node may do, and lets others do, will last. */
  readonly expiry: ExpiryWatch
  readonly #grants: GrantKeeper
  #unwatch: () => void = () => undefined
  #isStarted = false

  constructor(deps: NodeDeps, options: NodeOptions) {
    this.#deps = deps
    this.#options = options
    const { network, context, privateKey, clock, random, log, database } = deps
    this.actor = createRootActor({
      network,
      context,
      privateKey,
      clock,
      random,
      log: log.child({ component: 'actor' })
    })
    this.handle = rootHandleOfPeer(network.peerId)
    this.#grants = new GrantKeeper({ context, clock, log })
    this.revocations = new Revocations({
      actor: this.actor,
      network,
      context,
      passing: () => this.#grants.tokens(),
      keeper: deps.anchors,
      records: database.revocations,
      clock,
      random,
      log: log.child({ component: 'revocation' })
    })
    this.expiry = this.#createExpiryWatch()
    this.resources = new ResourceManager({
      reservations: database.reservations,
      onboarding: database.onboarding,
      clock,
      log
    })
    this.onboarding = new Onboarding({
      repository: database.onboarding,
      hardware: deps.hardware,
      resources: this.resources,
      clock,
      log
    })
    this.provider = this.#createProvider()
    this.orchestrator = new Orchestrator(
      {
        database,
        network,
        grants: this.#grants,
        files: deps.files,
        clock,
        random,
        log: log.child({ component: 'orchestrator' }),
        createActor: (inbox, key) => this.actor.createChild({ inbox, ...(key ? { privateKey: key } : {}) }),
        addressOf: peer => network.remoteIp(peer),
        proofFault: () =>
          context.lacksBroadcastProof({ topic: BID_TOPIC, capabilities: [BEHAVIORS.bidRequest] })
      },
      { workDirectory: options.workDirectory }
    )
    for (const addTo of this.#declarations()) addTo(this.actor)
  }

  /** Recovers what ran before, then answers messages. The network must be started. */
  async start(options: AbortOptions = {}): Promise<void> {
    if (this.#isStarted) return
    this.#isStarted = true
    await this.revocations.load()
    await this.expiry.start(options)
    await this.actor.start(options)
    await this.resources.start()
    await this.onboarding.start(options)
    await this.provider.start(options)
    options.signal?.throwIfAborted()
    await this.orchestrator.start()
    await this.revocations.start()
  }

  /**
   * Lets go of everything; workloads go on running and are adopted at the next start. A part that fails to stop does
   * not keep the others from it. A stopped node is not started again.
   */
  async stop(): Promise<void> {
    const parts: [string, () => Promise<void> | void][] = [
      ['revocations', () => this.revocations.stop()],
      ['orchestrator', () => this.orchestrator.stop()],
      ['provider', () => this.provider.stop()],
      ['resources', () => this.resources.stop()],
      ['grants', () => this.#grants.stop()],
      ['expiry', () => this.#stopExpiry()],
      ['actor', () => this.actor.stop()]
    ]
    for (const [part, stop] of parts) {
      try {
        await stop()
      } catch (error) {
        this.#deps.log.error('part of the node did not stop', { part, error: errorMessage(error) })
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #createExpiryWatch(): ExpiryWatch {
    const { context, clock, files, log, anchors, storedAnchors } = this.#deps
    const { workDirectory, contextName = 'dms' } = this.#options
    const watch = new ExpiryWatch(
      {
        anchors: () => {
          const dynamic = new Set(this.#grants.tokens())
          const { roots, provide, require } = context.anchors
          const stored = storedAnchors?.() ?? { provide: [], require: [] }
          const isOver = (token: Token): boolean => endOf(token) < clock.nowMs()
          return {
            roots,
            provide: [...provide, ...stored.provide.filter(isOver)],
            require: [...require.filter(token => !dynamic.has(token)), ...stored.require.filter(isOver)]
          }
        },
        grants: () => this.#grants.states(),
        clock,
        files,
        log: log.child({ component: 'expiry' })
      },
      { owner: context.owner, context: contextName, path: childPath(workDirectory, 'capability-expiry.json') }
    )
    const leave = [
      anchors.onChange(() => watch.refresh()),
      this.revocations.registry.onAdded(() => watch.refresh())
    ]
    this.#unwatch = () => {
      for (const each of leave) each()
    }
    return watch
  }

  async #stopExpiry(): Promise<void> {
    this.#unwatch()
    await this.expiry.stop()
  }

  #createProvider(): Provider {
    const { network, database, clock, random, log, executors, isPortFree } = this.#deps
    const ports = new PortAllocator(
      { reservations: database.reservations, isPortFree },
      this.#options.portRange
    )
    return new Provider(
      {
        db: database,
        resources: this.resources,
        ports,
        onboarding: this.onboarding,
        executors,
        createAllocationActor: (inbox, key) =>
          this.actor.createChild({ inbox, ...(key ? { privateKey: key } : {}) }),
        addNodeBehavior: behavior => this.actor.addBehavior(behavior),
        grant: request => this.#grantToOrchestrator(request),
        peerId: network.peerId,
        nodeHandle: this.handle,
        location: this.#options.location,
        clock,
        random,
        log: log.child({ component: 'provider' }),
        ...this.#deps.providerSeams
      },
      {
        workDirectory: this.#options.workDirectory,
        allowPrivilegedDocker: this.#options.allowPrivilegedDocker
      }
    )
  }

  /** Lets an orchestrator act on the node or on one of its allocations. */
  async #grantToOrchestrator({ subject, audience, capabilities }: ProviderGrantRequest): Promise<Grant> {
    if (subject.did === '' || audience.id === '')
      throw new Error('a grant names an orchestrator and an actor')
    const { basis } = this.revocations
    basis.check(subject.did)
    const grant = await this.#grants.install({
      subject: subject.did,
      audience: didOfActorId(audience.id),
      capabilities
    })
    return basis.keep(subject.did, grant)
  }

  #declarations(): Declaration[] {
    const { network, context, anchors, hardware, clock, privateKey, setLogLevel } = this.#deps
    const { resources, onboarding, provider, orchestrator, handle } = this
    const { location } = this.#options
    return [
      ...publicBehaviors({ hardware, did: context.owner, expiry: this.expiry }),
      ...statusBehaviors({
        network,
        resources,
        onboarding,
        hardware,
        did: context.owner,
        expiry: this.expiry
      }),
      ...peerBehaviors({ network, clock }),
      ...resourceBehaviors({ hardware, resources, onboarding }),
      ...capabilityBehaviors({ context, keeper: anchors, revocations: this.revocations, clock }),
      ...revocationBehaviors({ revocations: this.revocations }),
      ...loggerBehaviors({ setLogLevel }),
      ...deploymentBehaviors({ orchestrator, clock }),
      ...providerBehaviors({
        provider,
        resources,
        network,
        handle,
        privateKey,
        location,
        basis: this.revocations.basis
      })
    ]
  }
}
