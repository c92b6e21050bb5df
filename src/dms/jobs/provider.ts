/**
 * The provider side of a deployment: bids, commits, allocations and their end. This class is the front: it builds
 * the parts, routes each request to the one that knows, and opens and closes them together.
 */

import type { HandleWire } from '../../actor/index.ts'
import type { AbortOptions, Handle, Result, Startable } from '../../types/index.ts'
import { Mutex, refusal, refuse } from '../../utils/index.ts'
import { Allocator } from './allocator.ts'
import { type BidDecision, BidDesk } from './bidding.ts'
import { Commitments, type PortMapping } from './commitment.ts'
import { COMMIT_TTL_MS, LOG_RETENTION_MS, START_LIMIT_MS, STOP_GRACE_MS } from './constants.ts'
import { EnsembleService, type LogsRequest } from './ensemble-service.ts'
import { Grants } from './grants.ts'
import { Housekeeper } from './housekeeping.ts'
import { parseAllocationId } from './ids.ts'
import { createDiskJobFiles } from './job-files.ts'
import { type ListedAllocation, listAllocation } from './listing.ts'
import { LogReader } from './logs.ts'
import type { AllocateRequest, AllocationStatusReply, BidRequest, CommitRequest } from './messages.ts'
import { Notifier } from './notifier.ts'
import { releaseOrphanReservations, removeOrphanExecutions } from './recovery.ts'
import { AllocationRegistry, type RegistryDeps } from './registry.ts'
import { type Answer, answer, answerRefusal, DONE } from './replies.ts'
import { TerminationReporter } from './termination.ts'
import type { ProviderDeps, ProviderOptions } from './types.ts'

/** What a revert names. Without ids it means all the orchestrator has of the ensemble. */
export interface RevertRequest {
  readonly ensembleId: string
  readonly allocationIds: readonly string[]
}

/** The provider of a node: plain methods that the node maps to behaviours. */
export class Provider implements Startable {
  readonly #deps: ProviderDeps
  readonly #bids: BidDesk
  readonly #commitments: Commitments
  readonly #registry: AllocationRegistry
  readonly #ensembles: EnsembleService
  readonly #grants: Grants
  readonly #allocator: Allocator
  readonly #housekeeper: Housekeeper
  readonly #mutex = new Mutex()
  /** Ends what is sent to orchestrators; one per start. */
  #life = new AbortController()
  #isReady = false

  constructor(deps: ProviderDeps, options: ProviderOptions) {
    const { clock, random, log } = deps
    const settings = {
      allowPrivilegedDocker: false,
      commitTtlMs: COMMIT_TTL_MS,
      stopGraceMs: STOP_GRACE_MS,
      startLimitMs: START_LIMIT_MS,
      logRetentionMs: LOG_RETENTION_MS,
      ...options
    }
    const files = deps.files ?? createDiskJobFiles()
    const logs = new LogReader({ clock, files }, settings)
    const reports = this.#reports(
      new Notifier({ clock, log }),
      new TerminationReporter({ clock, random, log, logs })
    )
    this.#deps = deps
    this.#registry = new AllocationRegistry(
      { ...deps, ...reports, files, ensembles: () => this.#ensembles },
      settings
    )
    this.#ensembles = new EnsembleService({
      addNodeBehavior: deps.addNodeBehavior,
      logs,
      find: id => this.#registry.get(id)
    })
    this.#bids = new BidDesk(deps, settings)
    this.#commitments = new Commitments({ ...deps, bids: this.#bids }, settings)
    this.#grants = new Grants(deps)
    const parts = { registry: this.#registry, commitments: this.#commitments, grants: this.#grants }
    this.#allocator = new Allocator({ ...deps, ...parts }, settings)
    this.#housekeeper = new Housekeeper({ ...deps, ...parts, files, bids: this.#bids }, settings)
  }

  /**
   * Takes up what an earlier run left: adopts workloads that still run, settles those that ended, gives back what
   * belongs to nobody. Bids are refused until it is done. A second call does nothing.
   */
  async start(_options: AbortOptions = {}): Promise<void> {
    if (this.#isReady) return
    this.#life = new AbortController()
    for (const record of this.#deps.db.allocations.list()) await this.#registry.restore(record)
    releaseOrphanReservations(this.#deps)
    await removeOrphanExecutions(this.#deps)
    await this.#grants.reconcile(this.#registry.all())
    this.#isReady = true
    this.#housekeeper.start()
  }

  /** Lets go of everything and leaves the workloads running: the next start adopts them. */
  async stop(): Promise<void> {
    this.#isReady = false
    this.#housekeeper.stop()
    this.#life.abort()
    this.#grants.revokeAll()
    await this.#registry.close()
  }

  /** Ends every allocation, then stops. */
  async stopAll(): Promise<void> {
    this.#isReady = false
    await Promise.allSettled(this.#registry.all().map(allocation => allocation.terminate()))
    await this.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Whether to bid and for which entry; a refusal says for each node what is lacking here. */
  async decideBid(request: BidRequest, from: Handle): Promise<Result<BidDecision>> {
    if (!this.#isReady) return refuse(NOT_READY)
    return await this.#bids.decide(request, from)
  }

  /** Reserves one allocation's place. The reply names the host ports. */
  async commit(request: CommitRequest, from: Handle): Promise<Answer & { PortMapping: PortMapping }> {
    const result = this.#isReady ? await this.#commitments.commit(request, from) : refuse(NOT_READY)
    return { ...answer(result), PortMapping: result.ok ? result.value.portMapping : {} }
  }

  /** Turns commits into allocations: all of the message or none. The reply has each allocation actor's handle. */
  async allocate(
    request: AllocateRequest,
    from: Handle
  ): Promise<Answer & { Allocations: Record<string, HandleWire> }> {
    const result = this.#isReady
      ? await this.#mutex.run(() => this.#allocator.allocate(request, from))
      : refuse(NOT_READY)
    return { ...answer(result), Allocations: result.ok ? result.value : {} }
  }

  /** Gives back commits and allocations of this orchestrator and forgets its bid. What is already gone is no error. */
  async revert(request: RevertRequest, from: Handle): Promise<Answer> {
    return await this.#mutex.run(async () => {
      this.#bids.forget(request.ensembleId, from.id)
      const problems: string[] = []
      for (const id of this.#revertible(request, from)) {
        const problem = await this.#revertOne(id, from)
        if (problem !== undefined) problems.push(problem)
      }
      return problems.length === 0 ? DONE : answerRefusal(refusal('REVERT_INCOMPLETE', problems.join('; ')))
    })
  }

  /** A chunk of one log, or without `Stream` both whole. */
  async logs(
    ensembleId: string,
    request: LogsRequest,
    from: Handle,
    options: AbortOptions = {}
  ): Promise<Record<string, unknown>> {
    return await this.#ensembles.logs(ensembleId, request, from, options)
  }

  /** Ends an allocation for good; may be repeated. */
  async shutdown(ensembleId: string, allocationId: string, from: Handle): Promise<Answer> {
    return await this.#ensembles.shutdown(ensembleId, allocationId, from)
  }

  status(ensembleId: string, allocationId: string, from: Handle): AllocationStatusReply {
    return this.#ensembles.status(ensembleId, allocationId, from)
  }

  /** Reply of `/dms/node/allocations/list`. */
  list(): { allocations: ListedAllocation[]; error: string } {
    const allocations = this.#registry.all().map(allocation => listAllocation(this.#deps.db, allocation))
    return { allocations, error: '' }
  }

  async #revertOne(id: string, from: Handle): Promise<string | undefined> {
    const allocation = this.#registry.get(id)
    const owner = this.#deps.db.reservations.get(id)?.owner ?? allocation?.record.orchestrator.id
    if (owner === undefined) return undefined
    if (owner !== from.id) return `allocation '${id}' belongs to another orchestrator`
    this.#commitments.uncommit(id)
    const ended = await allocation?.terminate()
    return ended === undefined || ended.ok ? undefined : ended.error.message
  }

  #revertible({ ensembleId, allocationIds }: RevertRequest, from: Handle): string[] {
    if (allocationIds.length > 0) {
      return allocationIds.flatMap(name => {
        const id = parseAllocationId(ensembleId, name)
        return id.ok ? [id.value] : []
      })
    }
    const own = this.#deps.db.reservations
      .listByEnsemble(ensembleId)
      .filter(record => record.owner === from.id)
    return own.map(record => record.allocationId)
  }

  /** What allocations tell, on its way to their orchestrators. */
  #reports(
    notifier: Notifier,
    reporter: TerminationReporter
  ): Pick<RegistryDeps, 'onStatus' | 'onTerminated' | 'onProgress' | 'onTaskEnded'> {
    return {
      onStatus: (allocation, detail) => notifier.status(allocation, detail, this.#life.signal),
      onTerminated: () => void this.#grants.reconcile(this.#registry.all()),
      onProgress: (allocation, progress) => notifier.progress(allocation, progress, this.#life.signal),
      onTaskEnded: allocation => void reporter.report(allocation, this.#life.signal)
    }
  }
}

const NOT_READY = refusal('PROVIDER_NOT_READY', 'this provider is still starting, or stopping')
