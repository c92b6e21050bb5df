/**
 * The provider side of a deployment: bids, commits, allocations and their end. This class is the front: it keeps
 * the living allocations, routes each request to the part that knows, and does the housekeeping. The database is
 * the truth; everything in memory here is made again from it by `start`.
 */

import { type ChildActor, type HandleWire, handleToWire } from '../../actor/index.ts'
import type { AllocationRecord } from '../../db/index.ts'
import type { AbortOptions, Handle, Result, Startable, Timer } from '../../types/index.ts'
import { errorMessage, Mutex, ok, refusal, refuse } from '../../utils/index.ts'
import { type AcceptedAllocation, acceptAllocations } from './allocate-request.ts'
import { Allocation, type AllocationDeps, type AllocationOptions } from './allocation.ts'
import { serveAllocation } from './allocation-actor.ts'
import { BidDesk } from './bidding.ts'
import { Commitments, type PortMapping } from './commitment.ts'
import {
  COMMIT_TTL_MS,
  HOUSEKEEPING_MS,
  IDLE_TTL_MS,
  LOG_RETENTION_MS,
  START_LIMIT_MS,
  STOP_GRACE_MS
} from './constants.ts'
import { EnsembleService, type LogsRequest } from './ensemble-service.ts'
import { resultsDirectory } from './execution.ts'
import { Grants } from './grants.ts'
import { httpGet } from './http-get.ts'
import { parseAllocationId } from './ids.ts'
import { createDiskJobFiles } from './job-files.ts'
import { type ListedAllocation, listAllocation } from './listing.ts'
import { LogReader } from './logs.ts'
import type {
  AllocateRequest,
  AllocationStatusReply,
  BidEntry,
  BidRequest,
  CommitRequest
} from './messages.ts'
import { Notifier } from './notifier.ts'
import { releaseOrphanReservations, removeOrphanExecutions } from './recovery.ts'
import { type Answer, answer, answerRefusal, DONE } from './replies.ts'
import { optionsOf, type StoredSpec } from './stored.ts'
import { TerminationReporter } from './termination.ts'
import { isActive, isEnded } from './transitions.ts'
import type { JobFiles, ProviderDeps, ProviderOptions } from './types.ts'

export class Provider implements Startable {
  readonly #deps: ProviderDeps
  readonly #options: Required<ProviderOptions>
  readonly #files: JobFiles
  readonly #bids: BidDesk
  readonly #commitments: Commitments
  readonly #ensembles: EnsembleService
  readonly #grants: Grants
  readonly #notifier: Notifier
  readonly #reporter: TerminationReporter
  readonly #allocations = new Map<string, Allocation>()
  readonly #mutex = new Mutex()
  #life = new AbortController()
  #timer: Timer | undefined
  #isReady = false

  constructor(deps: ProviderDeps, options: ProviderOptions) {
    const { clock, random, log } = deps
    this.#deps = deps
    this.#options = {
      allowPrivilegedDocker: false,
      commitTtlMs: COMMIT_TTL_MS,
      stopGraceMs: STOP_GRACE_MS,
      startLimitMs: START_LIMIT_MS,
      logRetentionMs: LOG_RETENTION_MS,
      ...options
    }
    this.#files = deps.files ?? createDiskJobFiles()
    this.#bids = new BidDesk(deps, this.#options)
    this.#commitments = new Commitments({ ...deps, bids: this.#bids }, this.#options)
    const logs = new LogReader({ clock, files: this.#files }, this.#options)
    const find = (id: string) => this.#allocations.get(id)
    this.#ensembles = new EnsembleService({ addNodeBehavior: deps.addNodeBehavior, logs, find })
    this.#grants = new Grants(deps)
    this.#notifier = new Notifier({ clock, log })
    this.#reporter = new TerminationReporter({ clock, random, log, logs })
  }

  /**
   * Takes up what an earlier run left: adopts workloads that still run, settles those that ended, gives back what
   * belongs to nobody. Bids are refused until it is done. A second call does nothing.
   */
  async start(_options: AbortOptions = {}): Promise<void> {
    if (this.#isReady) return
    this.#life = new AbortController()
    releaseOrphanReservations(this.#deps)
    for (const record of this.#deps.db.allocations.list()) await this.#restore(record)
    await removeOrphanExecutions(this.#deps)
    await this.#grants.renew(this.#unended())
    this.#isReady = true
    this.#schedule()
  }

  /** Lets go of everything and leaves the workloads running: the next start adopts them. */
  async stop(): Promise<void> {
    this.#isReady = false
    this.#timer?.cancel()
    this.#life.abort()
    this.#ensembles.removeAll()
    const allocations = [...this.#allocations.values()]
    this.#allocations.clear()
    for (const allocation of allocations) allocation.close()
    await Promise.allSettled(allocations.map(allocation => allocation.actor.stop()))
  }

  /** Ends every allocation, then stops. */
  async stopAll(): Promise<void> {
    await Promise.allSettled([...this.#allocations.values()].map(allocation => allocation.terminate()))
    await this.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Whether to bid and for which entry; a refusal says for each node what is lacking here. */
  async decideBid(request: BidRequest, from: Handle): Promise<Result<{ entry: BidEntry }>> {
    if (!this.#isReady) return refuse(refusal('BID_NOT_READY', 'this provider is still starting'))
    return await this.#bids.decide(request, from)
  }

  /** Reserves one allocation's place. The reply names the host ports. */
  async commit(request: CommitRequest, from: Handle): Promise<Answer & { PortMapping: PortMapping }> {
    if (!this.#isReady) return { ...answerRefusal(notReady()), PortMapping: {} }
    const result = await this.#commitments.commit(request, from)
    return { ...answer(result), PortMapping: result.ok ? result.value.portMapping : {} }
  }

  /** Turns commits into allocations: all of the message or none. The reply has each allocation actor's handle. */
  async allocate(
    request: AllocateRequest,
    from: Handle
  ): Promise<Answer & { Allocations: Record<string, HandleWire> }> {
    if (!this.#isReady) return { ...answerRefusal(notReady()), Allocations: {} }
    const result = await this.#mutex.run(() => this.#allocate(request, from))
    return { ...answer(result), Allocations: result.ok ? result.value : {} }
  }

  /**
   * Gives back commits and allocations of this orchestrator and forgets its bid; without ids, all it has of the
   * ensemble. What is already gone is no error.
   */
  async revert(
    request: { readonly ensembleId: string; readonly allocationIds: readonly string[] },
    from: Handle
  ): Promise<Answer> {
    const { ensembleId } = request
    return await this.#mutex.run(async () => {
      this.#bids.forget(ensembleId, from.id)
      const problems: string[] = []
      for (const id of this.#revertible(request, from)) {
        const owner =
          this.#deps.db.reservations.get(id)?.owner ?? this.#allocations.get(id)?.record.orchestrator.id
        if (owner === undefined) continue
        if (owner !== from.id) {
          problems.push(`allocation '${id}' belongs to another orchestrator`)
          continue
        }
        this.#commitments.uncommit(id)
        const ended = await this.#allocations.get(id)?.terminate()
        if (ended && !ended.ok) problems.push(ended.error.message)
      }
      return problems.length === 0 ? DONE : answerRefusal(refusal('REVERT_INCOMPLETE', problems.join('; ')))
    })
  }

  async logs(
    ensembleId: string,
    request: LogsRequest,
    from: Handle,
    options: AbortOptions = {}
  ): Promise<Record<string, unknown>> {
    return await this.#ensembles.logs(ensembleId, request, from, options)
  }

  async shutdown(ensembleId: string, allocationId: string, from: Handle): Promise<Answer> {
    return await this.#ensembles.shutdown(ensembleId, allocationId, from)
  }

  status(ensembleId: string, allocationId: string, from: Handle): AllocationStatusReply {
    return this.#ensembles.status(ensembleId, allocationId, from)
  }

  /** Reply of `/dms/node/allocations/list`. */
  list(): { allocations: ListedAllocation[]; error: string } {
    return {
      allocations: [...this.#allocations.values()].map(allocation =>
        listAllocation(this.#deps.db, allocation)
      ),
      error: ''
    }
  }

  async #allocate(request: AllocateRequest, from: Handle): Promise<Result<Record<string, HandleWire>>> {
    const checks = { ...this.#deps, allowPrivilegedDocker: this.#options.allowPrivilegedDocker }
    const accepted = acceptAllocations(checks, request.EnsembleID, request.Allocations, from)
    if (!accepted.ok) return accepted
    const actors: ChildActor[] = []
    try {
      for (const { id } of accepted.value) actors.push(await this.#deps.createAllocationActor(id))
      const records = this.#store(request, accepted.value, actors, from)
      const made = records.map((record, index) => this.#adopt(record, actors[index]))
      await Promise.all(made.map(allocation => this.#grants.ensure(allocation)))
      return ok(
        Object.fromEntries(accepted.value.map(({ name, id }) => [name, handleToWire(this.#handleOf(id))]))
      )
    } catch (error) {
      this.#deps.log.warn('allocation failed', {
        ensembleId: request.EnsembleID,
        reason: errorMessage(error)
      })
      for (const { id } of accepted.value) await this.#discard(id)
      await Promise.allSettled(actors.map(actor => actor.stop()))
      return refuse(refusal('ALLOCATE_FAILED', `the allocations could not be made: ${errorMessage(error)}`))
    }
  }

  /** Records and reservations in one transaction, before anything else happens. */
  #store(
    request: AllocateRequest,
    accepted: readonly AcceptedAllocation[],
    actors: readonly ChildActor[],
    from: Handle
  ): AllocationRecord[] {
    const { db, clock, resources } = this.#deps
    const now = clock.nowMs()
    return db.transaction(() =>
      accepted.map(({ id, name, request: wish, reservation }, index): AllocationRecord => {
        const spec: StoredSpec = { name, request: wish, portMapping: { ...this.#commitments.mappingOf(id) } }
        const record: AllocationRecord = {
          id,
          ensembleId: request.EnsembleID,
          nodeId: request.NodeID || reservation.nodeId,
          orchestrator: from,
          status: 'pending',
          spec,
          actorKey: actors[index]?.exportKey() ?? new Uint8Array(),
          terminationReported: wish.Type !== 'task',
          createdAtMs: now,
          updatedAtMs: now
        }
        const moved = resources.allocate(id)
        if (!moved.ok) throw new Error(moved.error.message)
        db.allocations.save(record)
        return record
      })
    )
  }

  /** Undoes a half-made allocation: nothing ran yet. */
  async #discard(id: string): Promise<void> {
    const ensembleId = this.#allocations.get(id)?.record.ensembleId
    this.#allocations.get(id)?.close()
    this.#allocations.delete(id)
    this.#deps.db.transaction(() => {
      // A commit that was not reached yet stays one, and expires or is reverted.
      if (this.#deps.db.allocations.delete(id)) this.#deps.resources.release(id)
    })
    if (ensembleId !== undefined) this.#leaveEnsemble(ensembleId)
  }

  #handleOf(id: string): Handle {
    const allocation = this.#allocations.get(id)
    if (allocation) return allocation.actor.handle
    throw new Error(`allocation '${id}' is gone`)
  }

  /** Puts an allocation to work in this process: actor, behaviours, ensemble. */
  #adopt(record: AllocationRecord, actor: ChildActor | undefined): Allocation {
    if (actor === undefined) throw new Error(`allocation '${record.id}' has no actor`)
    const allocation = new Allocation(this.#allocationDeps(), this.#allocationOptions(), record, actor)
    this.#allocations.set(record.id, allocation)
    serveAllocation({ clock: this.#deps.clock, httpGet: this.#deps.httpGet ?? httpGet }, allocation)
    this.#ensembles.add(record.ensembleId)
    return allocation
  }

  async #restore(record: AllocationRecord): Promise<void> {
    try {
      optionsOf(record)
      const actor = await this.#deps.createAllocationActor(record.id, record.actorKey)
      await this.#adopt(record, actor).recover()
    } catch (error) {
      this.#deps.log.error('allocation not restored', {
        allocationId: record.id,
        reason: errorMessage(error)
      })
    }
  }

  #allocationDeps(): AllocationDeps {
    const { signal } = this.#life
    return {
      ...this.#deps,
      files: this.#files,
      onStatus: (allocation, detail) => this.#notifier.status(allocation, detail, signal),
      onProgress: (allocation, progress) => this.#notifier.progress(allocation, progress, signal),
      onTaskEnded: allocation => void this.#reporter.report(allocation, signal)
    }
  }

  #allocationOptions(): AllocationOptions {
    return this.#options
  }

  #revertible(
    request: { readonly ensembleId: string; readonly allocationIds: readonly string[] },
    from: Handle
  ): string[] {
    const { ensembleId, allocationIds } = request
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

  #unended(): Allocation[] {
    return [...this.#allocations.values()].filter(allocation => allocation.record.status !== 'terminated')
  }

  #schedule(): void {
    this.#timer = this.#deps.clock.setTimer(HOUSEKEEPING_MS, () => {
      void this.#keepHouse().finally(() => {
        if (!this.#life.signal.aborted) this.#schedule()
      })
    })
  }

  async #keepHouse(): Promise<void> {
    this.#bids.sweep()
    this.#commitments.sweep()
    for (const allocation of [...this.#allocations.values()]) {
      try {
        await this.#review(allocation)
      } catch (error) {
        this.#deps.log.warn('housekeeping failed', {
          allocationId: allocation.id,
          reason: errorMessage(error)
        })
      }
    }
    await this.#grants.renew(
      this.#unended().filter(allocation => !(allocation.isTask && isEnded(allocation.record.status)))
    )
  }

  /** Finishes what could not be finished, gives back what nobody wants, forgets what is over. */
  async #review(allocation: Allocation): Promise<void> {
    const { record } = allocation
    const ageMs = this.#deps.clock.nowMs() - record.updatedAtMs
    const isOver = record.status === 'terminated' || (allocation.isTask && isEnded(record.status))
    if (optionsOf(record).isTerminating && !isOver) await allocation.terminate()
    else if (isEnded(record.status)) await allocation.settle()
    if (!isOver && !isActive(record.status) && ageMs > IDLE_TTL_MS) {
      this.#deps.log.info('idle allocation given back', { allocationId: record.id, status: record.status })
      await allocation.terminate()
    }
    const isSettled =
      allocation.record.execution == null && this.#deps.db.reservations.get(record.id) === undefined
    // A late report begins the time anew: its orchestrator may still want the logs.
    if (isOver && isSettled && allocation.record.terminationReported && ageMs >= this.#options.logRetentionMs)
      await this.#forget(allocation)
  }

  async #forget(allocation: Allocation): Promise<void> {
    await this.#files.removeDirectory(resultsDirectory(this.#options.workDirectory, allocation.id))
    this.#deps.db.allocations.delete(allocation.id)
    this.#allocations.delete(allocation.id)
    allocation.close()
    await allocation.actor.stop()
    this.#leaveEnsemble(allocation.record.ensembleId)
  }

  #leaveEnsemble(ensembleId: string): void {
    if (![...this.#allocations.values()].some(allocation => allocation.record.ensembleId === ensembleId)) {
      this.#ensembles.remove(ensembleId)
    }
  }
}

function notReady() {
  return refusal('PROVIDER_NOT_READY', 'this provider is still starting')
}
