/**
 * All deployments this node orchestrates: makes them, finds them again after a restart, and answers questions
 * about them. The database is the source of truth; only deployments that are not over have an object in memory.
 */

import { createHash } from 'node:crypto'
import type { ChildActor } from '../../actor/index.ts'
import {
  type Database,
  DatabaseError,
  type DeploymentEvent,
  type DeploymentQuery,
  type DeploymentRecord
} from '../../db/index.ts'
import type { Network } from '../../network/index.ts'
import type {
  AbortOptions,
  Clock,
  Did,
  FileStore,
  Logger,
  PeerId,
  RandomSource,
  Refusal,
  Result
} from '../../types/index.ts'
import { deadline, Emitter, errorMessage, ok, refusal, refuse } from '../../utils/index.ts'
import { checkEnsemble, type Ensemble } from '../ensemble/index.ts'
import type { GrantKeeper } from '../grants/index.ts'
import { checkPeers } from './check-peers.ts'
import {
  DEADLINE_MARGIN_MS,
  MAX_ACTIVE_DEPLOYMENTS,
  MAX_EVENT_WAIT_MS,
  MAX_EVENT_WAITERS,
  MAX_RELEASING_DEPLOYMENTS,
  MIN_DEPLOYMENT_MS,
  RELEASE_WINDOW_MS
} from './constants.ts'
import { Deployment } from './deployment.ts'
import { DeploymentError } from './errors.ts'
import { Journal } from './journal.ts'
import { LogDesk } from './log-desk.ts'
import { type LogChunk, type LogRequest, LogStore } from './log-store.ts'
import { hasUnreleased, type Manifest, readManifest } from './manifest.ts'
import { ACTIVE_STATUSES, isActive } from './states.ts'

/** Collaborators of an orchestrator. */
export interface OrchestratorDeps {
  database: Pick<Database, 'deployments' | 'events' | 'transaction'>
  network: Pick<Network, 'subscribers' | 'peerId'>
  grants: GrantKeeper
  files: FileStore
  clock: Clock
  random: RandomSource
  log: Logger
  /** A child of the node's root actor: inbox, and its key when it is restored. */
  createActor: (inbox: string, privateKey?: Uint8Array) => Promise<ChildActor>
  addressOf: (peer: PeerId) => string | undefined
  /** Why this node cannot prove that it may ask for bids; `undefined` when it can. */
  proofFault: () => Refusal | undefined
}

/** Settings of an orchestrator. Output of allocations goes below `<workDirectory>/deployments`. */
export interface OrchestratorOptions {
  workDirectory: string
}

/** What a caller may wait for: something newer than `after`, for at most `waitMs`. */
export interface EventQuery {
  readonly after: number
  readonly waitMs: number
  readonly limit: number
}

/** The deployments of one node. `start` once; `stop` leaves their workloads running. */
export class Orchestrator {
  readonly #deps: OrchestratorDeps
  readonly #options: OrchestratorOptions
  readonly #active = new Map<string, Deployment>()
  readonly #events = new Emitter<DeploymentEvent>()
  /** Deployments that are being made. */
  #creating = 0
  #isStopped = false

  constructor(deps: OrchestratorDeps, options: OrchestratorOptions) {
    this.#deps = deps
    this.#options = options
  }

  /**
   * Takes up every deployment that was not over when the daemon ended, and every ended one that providers have not
   * given everything back of. One that cannot be read is set to failed, never fatal.
   */
  async start(): Promise<void> {
    this.#isStopped = false
    for (const record of this.#unfinished()) {
      try {
        const deployment = await this.#open(record)
        deployment.start()
      } catch (error) {
        this.#deps.log.error('stored deployment could not be taken up', {
          deployment: record.id,
          error: errorMessage(error)
        })
        if (isActive(record.status)) this.#abandon(record, error)
      }
    }
  }

  /** Lets go of all deployments; their workloads go on. */
  async stop(): Promise<void> {
    this.#isStopped = true
    const deployments = [...this.#active.values()]
    this.#active.clear()
    const results = await Promise.allSettled(deployments.map(deployment => deployment.suspend()))
    for (const result of results) {
      if (result.status === 'rejected')
        this.#deps.log.warn('deployment did not stop cleanly', { error: errorMessage(result.reason) })
    }
  }

  /**
   * Makes a deployment and begins with it; its id comes back at once. The attempt ends at `expiresAtMs` less a
   * margin for giving back what was locked.
   */
  async create(
    ensemble: Ensemble,
    request: { requestedBy: Did; expiresAtMs: number }
  ): Promise<Result<{ id: string }>> {
    const refused = this.#judge(ensemble, request.expiresAtMs)
    if (refused) return refuse(refused)
    const { clock, random, network } = this.#deps
    const nowMs = clock.nowMs()
    const id = createHash('sha256').update(network.peerId).update(random.uuid()).digest('hex')
    this.#creating++
    try {
      const actor = await this.#deps.createActor(id)
      const record: DeploymentRecord = {
        id,
        status: 'Preparing',
        ensemble,
        actorKey: actor.exportKey(),
        requestedBy: request.requestedBy,
        metadata: ensemble.v1.metadata ?? {},
        deadlineMs: request.expiresAtMs - DEADLINE_MARGIN_MS,
        createdAtMs: nowMs,
        updatedAtMs: nowMs
      }
      const made = await this.#adopt(record, actor, deployment => deployment.journal.create())
      made.start()
      return ok({ id })
    } finally {
      this.#creating--
    }
  }

  find(query: DeploymentQuery): { readonly records: DeploymentRecord[]; readonly total: number } {
    return this.#deps.database.deployments.find(query)
  }

  /** @throws DeploymentError `DEPLOYMENT_UNKNOWN` */
  record(id: string): DeploymentRecord {
    const record = this.#active.get(id)?.journal.record ?? this.#deps.database.deployments.get(id)
    if (record === undefined) {
      throw new DeploymentError('DEPLOYMENT_UNKNOWN', `deployment '${id}' not found`, {
        hint: "see 'nunet ps' for the deployments of this node"
      })
    }
    return record
  }

  manifest(id: string): Manifest | undefined {
    const { manifest } = this.record(id)
    const deployment = this.#active.get(id)
    return deployment ? deployment.journal.manifest : readManifest(manifest).manifest
  }

  /** Events after a point; waits for one when there is none yet. Ends early when the deployment is over. */
  async events(id: string, query: EventQuery, { signal }: AbortOptions = {}): Promise<DeploymentEvent[]> {
    const { status } = this.record(id)
    const found = this.#deps.database.events.list(id, query.after, query.limit)
    const isWaiting = query.waitMs > 0 && isActive(status) && this.#events.listenerCount < MAX_EVENT_WAITERS
    if (found.length > 0 || !isWaiting) return found
    using limit = deadline(this.#deps.clock, Math.min(query.waitMs, MAX_EVENT_WAIT_MS), 'the wait', signal)
    try {
      await this.#events.next(event => event.deploymentId === id, limit.signal)
    } catch {
      // The wait is over, by time or because the asker left: the answer is what there is.
    }
    return this.#deps.database.events.list(id, query.after, query.limit)
  }

  /** A piece of one allocation's output. @throws DeploymentError */
  async readLogs(
    id: string,
    allocation: string,
    request: LogRequest,
    options: AbortOptions = {}
  ): Promise<LogChunk> {
    return await this.#logDesk(id).read(allocation, request, options)
  }

  /** Writes both streams of an allocation to this node's disk and says where (deployment §2.15). @throws DeploymentError */
  async writeLogs(id: string, allocation: string, options: AbortOptions = {}): Promise<string> {
    return await this.#logDesk(id).write(allocation, options)
  }

  /** Takes a deployment down. Over already: a refusal. Returns what could not be done. @throws DeploymentError `DEPLOYMENT_UNKNOWN` */
  async shutdown(id: string): Promise<Result<Refusal[]>> {
    const { status } = this.record(id)
    const deployment = this.#active.get(id)
    if (deployment === undefined || !isActive(status))
      return refuse(refusal('DEPLOYMENT_STATE', `deployment is not running: it is '${status}'`))
    return ok(await deployment.shutdown())
  }

  /** Removes the records of ended deployments and their stored output, but for those that providers still owe something. Returns their ids. */
  async prune(options: { beforeMs?: number }): Promise<string[]> {
    const { records } = this.#deps.database.deployments.find({
      status: ['Failed', 'Completed'],
      ...(options.beforeMs === undefined ? {} : { createdBeforeMs: options.beforeMs })
    })
    const removed = records.filter(record => !this.#active.has(record.id))
    await this.#remove(removed)
    return removed.map(record => record.id)
  }

  /** Removes the record of one ended deployment; what providers still owe is no longer asked for. */
  async delete(id: string): Promise<Result<void>> {
    const { status } = this.record(id)
    if (isActive(status))
      return refuse(refusal('DEPLOYMENT_STATE', `deployment '${id}' is '${status}'; shut it down first`))
    await this.#active.get(id)?.suspend()
    this.#active.delete(id)
    await this.#remove([this.record(id)])
    return ok(undefined)
  }

  /** Deployments in memory, for supervision on demand. */
  active(id: string): Deployment | undefined {
    return this.#active.get(id)
  }

  /** Why no deployment can be made of it, or `undefined`. */
  #judge(ensemble: Ensemble, expiresAtMs: number): Refusal | undefined {
    if (this.#isStopped) return refusal('DEPLOYMENT_REFUSED', 'this node is stopping')
    const problems = [...checkEnsemble(ensemble), ...checkPeers(ensemble)]
    if (problems.length > 0)
      return refusal('ENSEMBLE_INVALID', 'the ensemble cannot be deployed', { causes: problems })
    const leftMs = expiresAtMs - this.#deps.clock.nowMs()
    if (leftMs < MIN_DEPLOYMENT_MS) {
      return refusal(
        'DEPLOYMENT_TOO_SHORT',
        `requested deployment time too short: ${Math.floor(leftMs / 1000)} s left, at least 60 s are needed; give '--timeout 60s' or more`
      )
    }
    const active = [...this.#active.values()].filter(deployment => isActive(deployment.journal.status))
    if (active.length + this.#creating < MAX_ACTIVE_DEPLOYMENTS) return undefined
    return refusal(
      'DEPLOYMENT_REFUSED',
      `more than ${MAX_ACTIVE_DEPLOYMENTS} deployments are in progress on this node; shut some down first`
    )
  }

  #unfinished(): DeploymentRecord[] {
    const { deployments } = this.#deps.database
    const active = deployments.find({ status: ACTIVE_STATUSES, sort: 'created_at' }).records
    const ended = deployments.find({
      status: ['Failed', 'Completed'],
      updatedAfterMs: this.#deps.clock.nowMs() - RELEASE_WINDOW_MS,
      sort: '-updated_at'
    }).records
    const owed = ended.filter(record => hasUnreleased(record.manifest)).slice(0, MAX_RELEASING_DEPLOYMENTS)
    return [...active, ...owed]
  }

  async #open(record: DeploymentRecord): Promise<Deployment> {
    return await this.#adopt(record, await this.#deps.createActor(record.id, record.actorKey))
  }

  /** Makes the object of a deployment around its actor; when that fails, nothing of it is left. */
  async #adopt(
    record: DeploymentRecord,
    actor: ChildActor,
    prepare: (deployment: Deployment) => void = () => undefined
  ): Promise<Deployment> {
    try {
      const { database, clock, log } = this.#deps
      const journal = new Journal({ database, clock, log }, record)
      journal.changes.on(event => this.#events.emit(event))
      const deployment = new Deployment(
        { ...this.#deps, actor, journal },
        { workDirectory: this.#options.workDirectory, onEnded: () => this.#letGo(record.id, actor) }
      )
      prepare(deployment)
      this.#active.set(record.id, deployment)
      return deployment
    } catch (error) {
      await actor.stop()
      throw error
    }
  }

  /** Not waited for: it may be called from a handler of that very actor. */
  #letGo(id: string, actor: ChildActor): void {
    this.#active.delete(id)
    actor
      .stop()
      .catch(error =>
        this.#deps.log.warn('orchestrator actor did not stop', { deployment: id, error: errorMessage(error) })
      )
  }

  async #remove(records: readonly DeploymentRecord[]): Promise<void> {
    const { database, log } = this.#deps
    database.transaction(() => {
      for (const { id } of records) database.deployments.delete(id)
    })
    for (const { id, manifest } of records) {
      try {
        const keys = Object.keys(readManifest(manifest).manifest?.allocations ?? {})
        await this.#logStore(id).remove(keys)
      } catch (error) {
        log.warn('stored output not removed', { deployment: id, error: errorMessage(error) })
      }
    }
  }

  #abandon(record: DeploymentRecord, error: unknown): void {
    const reason = refusal(
      'DEPLOYMENT_UNREADABLE',
      `the stored deployment could not be taken up: ${errorMessage(error)}`
    )
    try {
      this.#deps.database.deployments.save({
        ...record,
        status: 'Failed',
        error: reason,
        updatedAtMs: this.#deps.clock.nowMs()
      })
    } catch (cause) {
      if (!(cause instanceof DatabaseError)) throw cause
    }
  }

  #logDesk(id: string): LogDesk {
    const deployment = this.#active.get(id)
    return new LogDesk({
      manifest: this.manifest(id),
      store: this.#logStore(id),
      actor: deployment?.actor,
      sourceOf: entry => deployment?.logSource(entry)
    })
  }

  #logStore(id: string): LogStore {
    return (
      this.#active.get(id)?.logs ??
      new LogStore(
        { files: this.#deps.files },
        { directory: `${this.#options.workDirectory}/deployments/${id}` }
      )
    )
  }
}
