/**
 * One deployment from its request to its end: owns the orchestrator actor, the journal and the supervision, and
 * moves through the states of `states.ts`. Everything it needs to go on after a crash is in the journal.
 */

import { join } from 'node:path'
import type { Behavior, ChildActor } from '../../actor/index.ts'
import { didOfActorId } from '../../lib/did/index.ts'
import type { FileStore, Refusal } from '../../types/index.ts'
import { base64ToBytes, deadline, refusal, TimeLimitError } from '../../utils/index.ts'
import type { Grant, GrantKeeper } from '../grants/index.ts'
import {
  allocationEventSchema,
  BEHAVIORS,
  ensembleBehaviors,
  okReplySchema,
  type TaskTermination,
  taskTerminationSchema
} from '../jobs/index.ts'
import { type AllocationReport, isOver, Supervisor, type WatchedAllocation } from '../supervision/index.ts'
import { Attempt, type AttemptDeps } from './attempt.ts'
import { readHandle } from './bid.ts'
import { SHUTDOWN_LIMIT_MS } from './constants.ts'
import { ShutdownRequestedError, SuspendedError } from './errors.ts'
import type { Journal } from './journal.ts'
import { fetchWholeLog, type LogSource, LogStore } from './log-store.ts'
import { findAllocation, type Manifest, type ManifestAllocation } from './manifest.ts'
import { isActive } from './states.ts'

export interface DeploymentDeps extends Omit<AttemptDeps, 'journal' | 'actor' | 'onAllocated'> {
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

export class Deployment {
  readonly #deps: DeploymentDeps
  readonly #options: DeploymentOptions
  readonly #attempt: Attempt
  readonly #supervisor: Supervisor
  readonly #grants: Grant[] = []
  readonly #ending = new AbortController()
  #running: Promise<void> = Promise.resolve()
  readonly logs: LogStore

  constructor(deps: DeploymentDeps, options: DeploymentOptions) {
    this.#deps = deps
    this.#options = options
    const log = deps.log.child({ deployment: deps.journal.id })
    this.#attempt = new Attempt({ ...deps, log, onAllocated: manifest => this.#grantToAllocations(manifest) })
    this.#supervisor = new Supervisor(
      { actor: deps.actor, clock: deps.clock, log },
      { ensembleId: deps.journal.id, onReport: (key, report) => this.#report(key, report) }
    )
    this.logs = new LogStore(
      { files: deps.files },
      { directory: join(options.workDirectory, 'deployments', deps.journal.id) }
    )
    deps.actor.addBehavior(this.#terminationBehavior())
    deps.actor.addBehavior(this.#eventBehavior())
  }

  get journal(): Journal {
    return this.#deps.journal
  }

  /** Begins, or after a restart goes on, in the background. */
  start(): void {
    this.#running = this.#guard(this.#resume())
  }

  /** Resolves when the deployment runs or has ended. */
  async settled(): Promise<void> {
    await this.#running
  }

  /** Lets go without changing anything: the daemon stops, the workloads go on. */
  async suspend(): Promise<void> {
    this.#supervisor.stop()
    this.#ending.abort(new SuspendedError())
    await this.#running
    await this.#deps.actor.stop()
  }

  /** Takes everything down, from any state. Returns what could not be done; the state is `Completed` all the same. */
  async shutdown(): Promise<Refusal[]> {
    const { journal } = this.#deps
    if (!isActive(journal.status)) return []
    this.#supervisor.stop()
    this.#ending.abort(new ShutdownRequestedError())
    await this.#running
    if (!isActive(journal.status)) return []
    journal.transition('ShuttingDown')
    return await this.#takeDown()
  }

  /** Where the output of an allocation is asked for while it lives, or `undefined` when it is stored here. */
  logSource(entry: ManifestAllocation): LogSource | undefined {
    const { journal } = this.#deps
    const provider = readHandle(journal.manifest?.nodes[entry.node_id]?.handle)
    const stored = entry.type === 'task' && isOver(entry.status)
    return stored || provider === undefined
      ? undefined
      : { ensembleId: journal.id, allocationId: entry.id, provider }
  }

  get actor(): ChildActor {
    return this.#deps.actor
  }

  async #resume(): Promise<void> {
    const { journal } = this.#deps
    switch (journal.status) {
      case 'ShuttingDown':
        await this.#takeDown()
        return
      case 'Running':
      case 'Updating':
        if (journal.manifest) await this.#grantToAllocations(journal.manifest)
        this.#supervise()
        return
      case 'Provisioning':
        return await this.#deploy(signal => this.#attempt.resumeProvisioning({ signal }))
      case 'Committing':
        await this.#attempt.revert()
        return await this.#deploy(signal => this.#attempt.run({ signal }))
      default:
        return await this.#deploy(signal => this.#attempt.run({ signal }))
    }
  }

  async #deploy(
    work: (signal: AbortSignal) => Promise<{ ok: true } | { ok: false; error: Refusal }>
  ): Promise<void> {
    const { journal, clock } = this.#deps
    const leftMs = Math.max(0, journal.record.deadlineMs - clock.nowMs())
    using limit = deadline(clock, leftMs, 'the deployment', this.#ending.signal)
    try {
      const result = await work(limit.signal)
      if (!result.ok) return this.#fail(result.error)
    } catch (error) {
      if (limit.signal.reason instanceof TimeLimitError) return this.#failForTime()
      if (error instanceof ShutdownRequestedError || error instanceof SuspendedError) return
      throw error
    }
    // Each start was answered, so each runs or has run; a task's end may have come in already.
    for (const [key, entry] of Object.entries(journal.manifest?.allocations ?? {})) {
      if (!isOver(entry.status))
        journal.updateAllocation(key, { status: 'running', exit_code: undefined, error: undefined })
    }
    journal.transition('Running')
    this.#supervise()
    this.#checkEnd()
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
    const { journal } = this.#deps
    const manifest = journal.manifest
    if (manifest === undefined) return
    const ensemble = journal.ensemble.v1
    this.#supervisor.start(
      Object.entries(manifest.allocations).flatMap(([key, entry]) => {
        const handle = readHandle(entry.handle)
        const provider = readHandle(manifest.nodes[entry.node_id]?.handle)
        if (handle === undefined || provider === undefined) return []
        const spec = ensemble.allocations[key.slice(entry.node_id.length + 1)]
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
  }

  /** Allocations may report to this orchestrator (deployment §2.6, "after it"). */
  async #grantToAllocations(manifest: Manifest): Promise<void> {
    const audience = this.#deps.actor.handle.id
    if (audience === '') return
    for (const grant of this.#grants.splice(0)) grant.revoke()
    const subjects = new Set(
      Object.values(manifest.allocations).flatMap(entry => readHandle(entry.handle)?.did || [])
    )
    for (const subject of subjects) {
      this.#grants.push(
        await this.#deps.grants.install({
          subject,
          audience: didOfActorId(audience),
          capabilities: ['/dms/orchestrator']
        })
      )
    }
  }

  #report(key: string, report: AllocationReport): void {
    const { journal } = this.#deps
    const entry = journal.manifest?.allocations[key]
    // A task's end is told by its own message, which brings the output; a poll that sees it first fetches that.
    if (entry?.type === 'task' && isOver(report.status) && !isOver(entry.status)) {
      void this.#guard(this.#endTask(key, entry, report))
      return
    }
    journal.updateAllocation(key, {
      status: report.status,
      exit_code: report.exitCode,
      error: report.reason || undefined
    })
    this.#checkEnd()
  }

  #terminationBehavior(): Behavior<TaskTermination, never> {
    return {
      path: BEHAVIORS.taskTermination,
      request: taskTerminationSchema,
      handle: async ({ payload, from }) => {
        const found = this.#ownAllocation(payload.allocation_id, from.address.host)
        if (!found) return undefined
        const [key, entry] = found
        const report = {
          status: payload.status,
          exitCode: payload.error.exit_code,
          reason: payload.error.err
        }
        const logs = payload.logs_truncated
          ? undefined
          : { stdout: decode(payload.stdout), stderr: decode(payload.stderr) }
        await this.#endTask(key, entry, report, logs)
        return undefined
      }
    }
  }

  #eventBehavior(): Behavior<{ allocation_id: string; status: string; detail: string }, never> {
    return {
      path: BEHAVIORS.allocationEvent,
      request: allocationEventSchema,
      handle: ({ payload, from }) => {
        const found = this.#ownAllocation(payload.allocation_id, from.address.host)
        if (!found) return undefined
        const [key, entry] = found
        if (entry.type === 'task' && isOver(payload.status)) return undefined
        // Messages may overtake each other: what was told of the start is stale once the start was answered.
        if (entry.status === 'running' && (payload.status === 'pending' || payload.status === 'starting'))
          return undefined
        if (payload.detail !== '' && !isOver(payload.status))
          this.journal.allocationEvent(key, undefined, payload)
        else if (this.journal.status === 'Running')
          this.#supervisor.push(key, { status: payload.status, exitCode: undefined, reason: payload.detail })
        else
          this.journal.updateAllocation(key, {
            status: payload.status,
            exit_code: undefined,
            error: undefined
          })
        return undefined
      }
    }
  }

  /** An allocation of this deployment, if the message comes from the peer it was placed on. */
  #ownAllocation(id: string, host: string): [string, ManifestAllocation] | undefined {
    const manifest = this.journal.manifest
    const found = manifest ? findAllocation(manifest, id) : undefined
    return found && manifest?.nodes[found[1].node_id]?.peer === host ? found : undefined
  }

  async #endTask(
    key: string,
    entry: ManifestAllocation,
    report: AllocationReport,
    output?: { stdout: Uint8Array; stderr: Uint8Array }
  ): Promise<void> {
    if (isOver(entry.status)) return
    for (const stream of ['stdout', 'stderr'] as const) {
      const content = output?.[stream] ?? (await this.#fetchLog(entry, stream))
      await this.logs.save(key, stream, content)
    }
    const changed = this.journal.updateAllocation(key, {
      status: report.status,
      exit_code: report.exitCode,
      error: report.reason || undefined
    })
    if (!changed) return
    this.#supervisor.push(key, report)
    this.#checkEnd()
  }

  async #fetchLog(entry: ManifestAllocation, stream: 'stdout' | 'stderr'): Promise<Uint8Array> {
    const source = this.logSource(entry)
    if (source === undefined) return new Uint8Array()
    const fetched = await fetchWholeLog(this.#deps.actor, source, stream, { signal: this.#ending.signal })
    if (fetched.ok) return fetched.value
    this.#deps.log.warn('output of an ended task could not be fetched', {
      allocation: entry.id,
      stream,
      reason: fetched.error.message
    })
    return new Uint8Array()
  }

  /** A deployment of tasks only is over when the last one is; services run until they are shut down. */
  #checkEnd(): void {
    const { journal } = this.#deps
    const entries = Object.entries(journal.manifest?.allocations ?? {})
    if (
      journal.status !== 'Running' ||
      entries.some(([, entry]) => entry.type !== 'task' || !isOver(entry.status))
    )
      return
    const failed = entries.filter(([, entry]) => entry.status !== 'completed')
    this.#supervisor.stop()
    if (failed.length === 0) {
      journal.transition('Completed', { completed: true })
      this.#end()
      return
    }
    const causes = failed.map(([key, entry]) =>
      refusal(
        'ALLOCATION_FAILED',
        `allocation '${key}' ${entry.status} with exit code ${entry.exit_code ?? -1}${entry.error ? `: ${entry.error}` : ''}`,
        {
          details: { allocation: key, exitCode: entry.exit_code ?? -1 }
        }
      )
    )
    this.#fail(
      refusal('DEPLOYMENT_TASKS_FAILED', `${failed.length} of ${entries.length} tasks failed`, { causes })
    )
  }

  async #takeDown(): Promise<Refusal[]> {
    const { journal, actor } = this.#deps
    const manifest = journal.manifest
    const problems: Refusal[] = []
    await Promise.all(
      Object.entries(manifest?.allocations ?? {}).map(async ([key, entry]) => {
        const provider = readHandle(manifest?.nodes[entry.node_id]?.handle)
        if (provider === undefined || isOver(entry.status) || entry.handle === undefined) return
        const reply = await actor.invoke(
          provider,
          ensembleBehaviors(journal.id).shutdown,
          { AllocationID: entry.id },
          { timeoutMs: SHUTDOWN_LIMIT_MS }
        )
        const answer = reply.ok ? okReplySchema.safeParse(reply.value.payload) : undefined
        if (answer?.success && answer.data.OK)
          journal.updateAllocation(key, {
            status: 'terminated',
            exit_code: entry.exit_code,
            error: undefined
          })
        else problems.push(shutdownProblem(key, reply.ok ? answer?.data?.Error : reply.error.message))
      })
    )
    // Frees what was committed and never became an allocation, or did not answer above.
    if (
      problems.length > 0 ||
      Object.values(manifest?.allocations ?? {}).some(entry => entry.handle === undefined)
    )
      await this.#attempt.revert()
    const error =
      problems.length > 0
        ? refusal('DEPLOYMENT_SHUTDOWN_PARTIAL', 'not everything could be taken down', { causes: problems })
        : undefined
    journal.transition('Completed', { completed: true, ...(error ? { error } : {}) })
    this.#end()
    return problems
  }

  #end(): void {
    for (const grant of this.#grants.splice(0)) grant.revoke()
    this.#supervisor.stop()
    this.#options.onEnded()
  }

  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      if (this.#ending.signal.aborted) return
      this.#deps.log.error('deployment failed unexpectedly', { deployment: this.journal.id, error })
      if (isActive(this.journal.status) && this.journal.status !== 'Running') {
        this.#fail(refusal('DEPLOYMENT_FAULT', error instanceof Error ? error.message : String(error)))
      }
    }
  }
}

function decode(base64: string): Uint8Array {
  try {
    return base64ToBytes(base64)
  } catch {
    return new Uint8Array()
  }
}

function shutdownProblem(key: string, reason: string | undefined): Refusal {
  return refusal(
    'ALLOCATION_SHUTDOWN',
    `allocation '${key}' could not be shut down: ${reason ?? 'unreadable answer'}`,
    { details: { allocation: key } }
  )
}
