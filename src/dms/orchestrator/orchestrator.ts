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
import { Emitter, errorMessage, ok, refusal, refuse } from '../../utils/index.ts'
import { checkEnsemble, type Ensemble } from '../ensemble/index.ts'
import type { GrantKeeper } from '../grants/index.ts'
import {
  DEADLINE_MARGIN_MS,
  MAX_ACTIVE_DEPLOYMENTS,
  MAX_EVENT_WAIT_MS,
  MIN_DEPLOYMENT_MS
} from './constants.ts'
import { Deployment } from './deployment.ts'
import { DeploymentError } from './errors.ts'
import { Journal } from './journal.ts'
import { fetchLogChunk, fetchWholeLog, type LogChunk, type LogRequest, LogStore } from './log-store.ts'
import { type Manifest, manifestSchema } from './manifest.ts'
import { ACTIVE_STATUSES, isActive } from './states.ts'

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
}

export interface OrchestratorOptions {
  workDirectory: string
}

/** What a caller may wait for: something newer than `after`, for at most `waitMs`. */
export interface EventQuery {
  readonly after: number
  readonly waitMs: number
  readonly limit: number
}

export class Orchestrator {
  readonly #deps: OrchestratorDeps
  readonly #options: OrchestratorOptions
  readonly #active = new Map<string, Deployment>()
  readonly #events = new Emitter<DeploymentEvent>()

  constructor(deps: OrchestratorDeps, options: OrchestratorOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Takes up every deployment that was not over when the daemon ended. One that cannot be read is set to failed, never fatal. */
  async start(): Promise<void> {
    const { records } = this.#deps.database.deployments.find({ status: ACTIVE_STATUSES, sort: 'created_at' })
    for (const record of records) {
      try {
        const deployment = await this.#open(record)
        deployment.start()
      } catch (error) {
        this.#deps.log.error('stored deployment could not be taken up', {
          deployment: record.id,
          error: errorMessage(error)
        })
        this.#abandon(record, error)
      }
    }
  }

  /** Lets go of all deployments; their workloads go on. */
  async stop(): Promise<void> {
    await Promise.all([...this.#active.values()].map(deployment => deployment.suspend()))
    this.#active.clear()
  }

  /**
   * Makes a deployment and begins with it; its id comes back at once. The attempt ends at `expiresAtMs` less a
   * margin for giving back what was locked.
   */
  async create(
    ensemble: Ensemble,
    request: { requestedBy: Did; expiresAtMs: number }
  ): Promise<Result<{ id: string }>> {
    const { clock, random, network } = this.#deps
    const nowMs = clock.nowMs()
    const problems = checkEnsemble(ensemble)
    if (problems.length > 0)
      return refuse(refusal('ENSEMBLE_INVALID', 'the ensemble cannot be deployed', { causes: problems }))
    if (request.expiresAtMs - nowMs < MIN_DEPLOYMENT_MS) {
      return refuse(
        refusal(
          'DEPLOYMENT_TOO_SHORT',
          `requested deployment time too short: ${Math.floor((request.expiresAtMs - nowMs) / 1000)} s left, at least 60 s are needed; give '--timeout 60s' or more`
        )
      )
    }
    if (this.#active.size >= MAX_ACTIVE_DEPLOYMENTS) {
      return refuse(
        refusal(
          'DEPLOYMENT_REFUSED',
          `more than ${MAX_ACTIVE_DEPLOYMENTS} deployments are in progress on this node; shut some down first`
        )
      )
    }
    const id = createHash('sha256').update(network.peerId).update(random.uuid()).digest('hex')
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
    const deployment = this.#adopt(record, actor)
    deployment.journal.create()
    deployment.start()
    return ok({ id })
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
    return (
      this.#active.get(id)?.journal.manifest ??
      (manifest === undefined ? undefined : manifestSchema.parse(manifest))
    )
  }

  /** Events after a point; waits for one when there is none yet. Ends early when the deployment is over. */
  async events(id: string, query: EventQuery, { signal }: AbortOptions = {}): Promise<DeploymentEvent[]> {
    const { status } = this.record(id)
    const found = this.#deps.database.events.list(id, query.after, query.limit)
    if (found.length > 0 || query.waitMs <= 0 || !isActive(status)) return found
    const waiting = new AbortController()
    const timer = this.#deps.clock.setTimer(Math.min(query.waitMs, MAX_EVENT_WAIT_MS), () => waiting.abort())
    const onAbort = (): void => waiting.abort()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await this.#events.next(event => event.deploymentId === id, waiting.signal)
    } catch {
      // The wait is over, by time or because the asker left: the answer is what there is.
    } finally {
      timer.cancel()
      signal?.removeEventListener('abort', onAbort)
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
    const { key, entry } = this.#allocation(id, allocation)
    const deployment = this.#active.get(id)
    const source = deployment?.logSource(entry)
    if (deployment === undefined || source === undefined) return await this.#logStore(id).read(key, request)
    const chunk = await fetchLogChunk(deployment.actor, source, request, options)
    if (chunk.ok) return chunk.value
    throw new DeploymentError('DEPLOYMENT_LOGS', `logs of '${key}' could not be had: ${chunk.error.message}`)
  }

  /** Writes both streams of an allocation to this node's disk and says where (deployment §2.15). @throws DeploymentError */
  async writeLogs(id: string, allocation: string, options: AbortOptions = {}): Promise<string> {
    const { key, entry } = this.#allocation(id, allocation)
    const deployment = this.#active.get(id)
    const source = deployment?.logSource(entry)
    const store = this.#logStore(id)
    if (deployment === undefined || source === undefined) return store.directoryOf(key)
    for (const stream of ['stdout', 'stderr'] as const) {
      const content = await fetchWholeLog(deployment.actor, source, stream, options)
      if (!content.ok)
        throw new DeploymentError(
          'DEPLOYMENT_LOGS',
          `logs of '${key}' could not be had: ${content.error.message}`
        )
      await store.save(key, stream, content.value)
    }
    return store.directoryOf(key)
  }

  /** Takes a deployment down. Over already: a refusal. Returns what could not be done. @throws DeploymentError `DEPLOYMENT_UNKNOWN` */
  async shutdown(id: string): Promise<Result<Refusal[]>> {
    const { status } = this.record(id)
    const deployment = this.#active.get(id)
    if (deployment === undefined || !isActive(status))
      return refuse(refusal('DEPLOYMENT_STATE', `deployment is not running: it is '${status}'`))
    return ok(await deployment.shutdown())
  }

  /** Removes the records of ended deployments. Returns their ids. */
  prune(options: { beforeMs?: number }): string[] {
    const { records } = this.#deps.database.deployments.find({
      status: ['Failed', 'Completed'],
      ...(options.beforeMs === undefined ? {} : { createdBeforeMs: options.beforeMs })
    })
    for (const record of records) this.#deps.database.deployments.delete(record.id)
    return records.map(record => record.id)
  }

  /** Removes the record of one ended deployment. */
  delete(id: string): Result<void> {
    const { status } = this.record(id)
    if (isActive(status))
      return refuse(refusal('DEPLOYMENT_STATE', `deployment '${id}' is '${status}'; shut it down first`))
    this.#deps.database.deployments.delete(id)
    return ok(undefined)
  }

  /** Deployments in memory, for supervision on demand. */
  active(id: string): Deployment | undefined {
    return this.#active.get(id)
  }

  async #open(record: DeploymentRecord): Promise<Deployment> {
    return this.#adopt(record, await this.#deps.createActor(record.id, record.actorKey))
  }

  #adopt(record: DeploymentRecord, actor: ChildActor): Deployment {
    const { database, clock, log } = this.#deps
    const journal = new Journal({ database, clock, log }, record)
    journal.changes.on(event => this.#events.emit(event))
    const onEnded = (): void => {
      this.#active.delete(record.id)
      void actor
        .stop()
        .catch(error =>
          log.warn('orchestrator actor did not stop', { deployment: record.id, error: errorMessage(error) })
        )
    }
    const deployment = new Deployment(
      { ...this.#deps, actor, journal },
      { workDirectory: this.#options.workDirectory, onEnded }
    )
    this.#active.set(record.id, deployment)
    return deployment
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

  /** Finds an allocation by manifest key, by full id, or by its bare name when only one node has it. */
  #allocation(id: string, name: string): { key: string; entry: Manifest['allocations'][string] } {
    const allocations = this.manifest(id)?.allocations ?? {}
    const matches = Object.entries(allocations).filter(
      ([key, entry]) => key === name || entry.id === name || key === `${entry.node_id}.${name}`
    )
    const [match] = matches
    if (match !== undefined && matches.length === 1) return { key: match[0], entry: match[1] }
    const known = Object.keys(allocations).join(', ') || 'none yet'
    throw new DeploymentError(
      'DEPLOYMENT_ALLOCATION_UNKNOWN',
      `allocation '${name}' ${matches.length > 1 ? 'stands on several nodes' : 'not found'}`,
      {
        hint: `allocations of this deployment: ${known}`
      }
    )
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
