/**
 * One deployment from its request to its end: owns the orchestrator actor, the journal and the supervision, and
 * moves through the states of `states.ts`. Everything it needs to go on after a crash is in the journal.
 */

import { join } from 'node:path'
import type { ChildActor } from '../../actor/index.ts'
import { didOfActorId } from '../../lib/did/index.ts'
import type { FileStore, Refusal, Result } from '../../types/index.ts'
import { deadline, errorMessage, refusal, TimeLimitError } from '../../utils/index.ts'
import type { Grant, GrantKeeper } from '../grants/index.ts'
import { isOver, Supervisor, type WatchedAllocation } from '../supervision/index.ts'
import { AllocationReports } from './allocation-reports.ts'
import { Attempt, type AttemptDeps } from './attempt.ts'
import { readHandle } from './bid.ts'
import { clip } from './bounds.ts'
import { MAX_PARALLEL_NODES } from './constants.ts'
import { ShutdownRequestedError, SuspendedError } from './errors.ts'
import type { Journal } from './journal.ts'
import { type LogSource, LogStore } from './log-store.ts'
import type { Manifest, ManifestAllocation } from './manifest.ts'
import { Releaser } from './releaser.ts'
import { isActive } from './states.ts'
import { takeDown } from './teardown.ts'

export interface DeploymentDeps extends Omit<AttemptDeps, 'journal' | 'actor' | 'onAllocated' | 'releaser'> {
  actor: ChildActor
  journal: Journal
  grants: GrantKeeper
  files: FileStore
}

export interface DeploymentOptions {
  workDirectory: string
  /** Called once when nothing more will happen to it. */
  onEnded: () => void
}

/** A deployment that is under way, or that providers have not given everything back of. */
export class Deployment {
  readonly #deps: DeploymentDeps
  readonly #options: DeploymentOptions
  readonly #attempt: Attempt
  readonly #supervisor: Supervisor
  readonly #reports: AllocationReports
  readonly #releaser: Releaser
  readonly #grants: Grant[] = []
  /** Ends the way to `Running`; by a shutdown or by the daemon's end. */
  readonly #ending = new AbortController()
  /** The daemon ends: everything stops where it is and is taken up again at the next start. */
  readonly #suspending = new AbortController()
  readonly #background = new Set<Promise<void>>()
  #running: Promise<void> = Promise.resolve()
  #takingDown: Promise<Refusal[]> | undefined
  #hasEnded = false
  readonly logs: LogStore

  constructor(deps: DeploymentDeps, options: DeploymentOptions) {
    const { actor, journal, clock, files } = deps
    this.#deps = deps
    this.#options = options
    const log = deps.log.child({ deployment: journal.id })
    const { signal } = this.#suspending
    this.logs = new LogStore({ files }, { directory: join(options.workDirectory, 'deployments', journal.id) })
    this.#releaser = new Releaser({ actor, journal, clock, log }, { signal })
    const onAllocated = (manifest: Manifest): Promise<void> => this.#grantToAllocations(manifest)
    this.#attempt = new Attempt({ ...deps, log, releaser: this.#releaser, onAllocated })
    this.#supervisor = new Supervisor(
      { actor, clock, log },
      { ensembleId: journal.id, onReport: (key, report) => this.#reports.take(key, report) }
    )
    this.#reports = new AllocationReports(
      {
        actor,
        journal,
        logs: this.logs,
        clock,
        log,
        background: work => this.#inBackground(work),
        push: (key, report) => this.#supervisor.push(key, report),
        settled: (key, report) => this.#supervisor.acknowledge(key, report),
        changed: () => this.#checkEnd()
      },
      { signal, allocations: Object.keys(journal.ensemble.v1.allocations).length }
    )
  }

  get journal(): Journal {
    return this.#deps.journal
  }

  get actor(): ChildActor {
    return this.#deps.actor
  }

  /** Begins, or after a restart goes on, in the background. */
  start(): void {
    this.#running = this.#guard(this.#resume())
  }

  /** Lets go without changing anything: the daemon stops, the workloads go on. */
  async suspend(): Promise<void> {
    this.#supervisor.stop()
    this.#suspending.abort(new SuspendedError())
    this.#ending.abort(new SuspendedError())
    await this.#running
    await this.#takingDown?.catch(() => undefined)
    await Promise.all(this.#background)
    await this.#deps.actor.stop()
  }

  /**
   * Takes everything down, from any state. Returns what could not be done; the state is `Completed` all the same, and
   * the rest is given back when its provider is there again. Calling it again waits for the same end.
   */
  async shutdown(): Promise<Refusal[]> {
    if (!isActive(this.journal.status)) return []
    this.#takingDown ??= this.#shutDown().finally(() => {
      // After a fault it may be tried again.
      this.#takingDown = undefined
    })
    return await this.#takingDown
  }

  /** Where the output of an allocation is asked for while it lives, or `undefined` when it is stored here. */
  logSource(entry: ManifestAllocation): LogSource | undefined {
    return isActive(this.journal.status) ? this.#reports.logSource(entry) : undefined
  }

  async #resume(): Promise<void> {
    const { journal } = this.#deps
    this.#releaser.resume()
    switch (journal.status) {
      case 'Failed':
      case 'Completed':
        return this.#end()
      case 'ShuttingDown':
        return void (await this.#takeDown())
      case 'Running':
      case 'Updating':
        if (journal.manifest) await this.#guard(this.#grantToAllocations(journal.manifest))
        return this.#supervise()
      case 'Provisioning':
        return await this.#deploy(signal => this.#attempt.resumeProvisioning({ signal }))
      case 'Committing':
        await this.#attempt.revert()
        return await this.#deploy(signal => this.#attempt.run({ signal }))
      default:
        return await this.#deploy(signal => this.#attempt.run({ signal }))
    }
  }

  async #deploy(work: (signal: AbortSignal) => Promise<Result<void>>): Promise<void> {
    const { journal, clock } = this.#deps
    const leftMs = Math.max(0, journal.record.deadlineMs - clock.nowMs())
    using limit = deadline(clock, leftMs, 'the deployment', this.#ending.signal)
    try {
      const result = await work(limit.signal)
      if (!result.ok) return this.#fail(result.error)
    } catch (error) {
      if (error instanceof ShutdownRequestedError || error instanceof SuspendedError) return
      if (error instanceof TimeLimitError && error === limit.signal.reason) return this.#failForTime()
      throw error
    }
    // Each start was answered, so each runs or has run; a task's end may have come in already.
    for (const [key, entry] of Object.entries(journal.manifest?.allocations ?? {})) {
      if (!isOver(entry.status))
        journal.updateAllocation(key, { status: 'running', exit_code: undefined, error: undefined })
    }
    journal.transition('Running')
    this.#supervise()
  }

  #failForTime(): void {
    const last = this.#attempt.lastReason
    this.#fail(
      refusal('DEPLOYMENT_TIME', 'the time for the deployment ran out', { causes: last ? [last] : [] })
    )
  }

  #fail(error: Refusal): void {
    this.#deps.journal.transition('Failed', { error, completed: true })
    this.#end()
  }

  #supervise(): void {
    const { manifest, ensemble } = this.#deps.journal
    if (manifest === undefined) return
    this.#supervisor.start(
      Object.entries(manifest.allocations).flatMap(([key, entry]) => {
        const handle = readHandle(entry.handle)
        const provider = readHandle(manifest.nodes[entry.node_id]?.handle)
        if (handle === undefined || provider === undefined) return []
        const spec = ensemble.v1.allocations[key.slice(entry.node_id.length + 1)]
        const watched: WatchedAllocation = {
          key,
          id: entry.id,
          type: entry.type,
          handle,
          provider,
          healthCheck: entry.healthcheck,
          recovery: spec?.failure_recovery ?? 'stay_down'
        }
        return [{ ...watched, status: entry.status }]
      })
    )
    // The last end may have been noted just before a crash.
    this.#checkEnd()
  }

  /** Allocations may report to this orchestrator (deployment §2.6, "after it"). */
  async #grantToAllocations(manifest: Manifest): Promise<void> {
    const { actor, grants } = this.#deps
    if (actor.handle.id === '') return
    const audience = didOfActorId(actor.handle.id)
    for (const grant of this.#grants.splice(0)) grant.revoke()
    const subjects = new Set(
      Object.values(manifest.allocations).flatMap(entry => readHandle(entry.handle)?.did || [])
    )
    for (const subject of subjects) {
      const grant = await grants.install({ subject, audience, capabilities: ['/dms/orchestrator'] })
      this.#grants.push(grant)
    }
  }

  /** A deployment of tasks only is over when the last one is; services run until they are shut down. */
  #checkEnd(): void {
    const { journal } = this.#deps
    const entries = Object.entries(journal.manifest?.allocations ?? {})
    const goesOn = entries.some(([, entry]) => entry.type !== 'task' || !isOver(entry.status))
    if (journal.status !== 'Running' || goesOn) return
    const failed = entries.filter(([, entry]) => entry.status !== 'completed')
    if (failed.length > 0) {
      this.#fail(tasksFailed(failed, entries.length))
      return
    }
    journal.transition('Completed', { completed: true })
    this.#end()
  }

  async #shutDown(): Promise<Refusal[]> {
    const { journal } = this.#deps
    this.#supervisor.stop()
    this.#ending.abort(new ShutdownRequestedError())
    await this.#running
    if (!isActive(journal.status)) return []
    this.#suspending.signal.throwIfAborted()
    journal.transition('ShuttingDown')
    return await this.#takeDown()
  }

  async #takeDown(): Promise<Refusal[]> {
    const { journal } = this.#deps
    const problems = await takeDown({ ...this.#deps, releaser: this.#releaser }, this.#suspending.signal)
    const error =
      problems.length > 0
        ? refusal('DEPLOYMENT_SHUTDOWN_PARTIAL', 'not everything could be taken down yet', {
            causes: problems.slice(0, MAX_PARALLEL_NODES)
          })
        : undefined
    journal.transition('Completed', { completed: true, ...(error ? { error } : {}) })
    this.#end()
    return problems
  }

  /** Nothing more will happen but for what providers have not given back yet. */
  #end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    for (const grant of this.#grants.splice(0)) grant.revoke()
    this.#supervisor.stop()
    if (this.journal.unreleased.length === 0) {
      this.#options.onEnded()
      return
    }
    this.#inBackground(
      this.#releaser.done().then(() => {
        if (!this.#suspending.signal.aborted) this.#options.onEnded()
      })
    )
  }

  #inBackground(work: Promise<void>): void {
    const watched: Promise<void> = work
      .catch(error => this.#tellFault(error))
      .finally(() => this.#background.delete(watched))
    this.#background.add(watched)
  }

  /** Never rejects: nobody may wait for this work. A fault on the way to `Running` fails the deployment. */
  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#tellFault(error)
      if (!this.#suspending.signal.aborted && this.#isOnTheWay()) await this.#failForFault(error)
    }
  }

  #tellFault(error: unknown): void {
    if (this.#suspending.signal.aborted) return
    this.#deps.log.error('fault in a deployment', { deployment: this.journal.id, error })
  }

  #isOnTheWay(): boolean {
    return ['Preparing', 'Generating', 'Committing', 'Provisioning'].includes(this.journal.status)
  }

  async #failForFault(fault: unknown): Promise<void> {
    try {
      await this.#attempt.revert()
      this.#fail(refusal('DEPLOYMENT_FAULT', clip(errorMessage(fault))))
    } catch (error) {
      // The stored status stays as it was: the next start of the daemon goes on from there.
      this.#tellFault(error)
    }
  }
}

function tasksFailed(failed: [string, ManifestAllocation][], count: number): Refusal {
  const causes = failed.map(([key, entry]) => {
    const exitCode = entry.exit_code ?? -1
    const why = entry.error ? `: ${entry.error}` : ''
    return refusal(
      'ALLOCATION_FAILED',
      `allocation '${key}' ${entry.status} with exit code ${exitCode}${why}`,
      {
        details: { allocation: key, exitCode }
      }
    )
  })
  return refusal('DEPLOYMENT_TASKS_FAILED', `${failed.length} of ${count} tasks failed`, { causes })
}
