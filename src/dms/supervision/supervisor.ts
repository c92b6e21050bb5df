/**
 * Watches the allocations of one running deployment from the orchestrator's side: asks for their status, runs
 * their health checks, restarts what failed as the ensemble says, and reports each change. A provider that is
 * silent is reported as unknown, not as healthy.
 */

import type { Actor } from '../../actor/index.ts'
import type { Clock, Logger } from '../../types/index.ts'
import { Limiter } from '../../utils/index.ts'
import { allocationStatusSchema, BEHAVIORS, ensembleBehaviors } from '../jobs/index.ts'
import { ASK_LIMIT_MS, MAX_PARALLEL_QUESTIONS, MAX_SILENT_POLLS, STATUS_POLL_MS } from './constants.ts'
import { HealthMonitor } from './health-monitor.ts'
import { Restarter } from './restarter.ts'
import type { AllocationReport, WatchedAllocation } from './types.ts'
import { createWatch, isEnded, isOver, type Watch } from './watch.ts'

/** Collaborators of a supervisor. */
export interface SupervisorDeps {
  actor: Pick<Actor, 'invoke'>
  clock: Clock
  log: Logger
}

/** Settings of a supervisor, and who is told. */
export interface SupervisorOptions {
  ensembleId: string
  /** Told once per change. False, or a throw: it was not noted, and is told again when it is seen again. */
  onReport: (key: string, report: AllocationReport) => boolean
}

/** Watches one deployment, from `start` to `stop` or to the end of its last allocation. */
export class Supervisor {
  readonly #deps: SupervisorDeps
  readonly #options: SupervisorOptions
  readonly #watches = new Map<string, Watch>()
  readonly #stopping = new AbortController()
  readonly #health: HealthMonitor
  readonly #restarter: Restarter

  constructor(deps: SupervisorDeps, options: SupervisorOptions) {
    const { actor, clock } = deps
    this.#deps = deps
    this.#options = options
    this.#health = new HealthMonitor({
      actor,
      clock,
      ensembleId: options.ensembleId,
      onUnhealthy: (watch, reason) => this.#note(watch, { status: 'failed', exitCode: undefined, reason })
    })
    this.#restarter = new Restarter({
      actor,
      clock,
      onReport: (watch, report) => void this.#tell(watch, report)
    })
  }

  /** Begins to watch; call once. `status` is what is known already. After `stop` it does nothing. */
  start(allocations: readonly (WatchedAllocation & { readonly status: string })[]): void {
    if (this.#signal.aborted) return
    for (const { status, ...allocation } of allocations) {
      const watch = createWatch(allocation, status)
      this.#watches.set(allocation.key, watch)
      if (!watch.ended && allocation.healthCheck)
        void this.#guard(this.#health.run(watch, { signal: this.#signal }))
    }
    void this.#guard(this.#pollLoop())
  }

  /** Takes a change that a provider pushed. */
  push(key: string, report: AllocationReport): void {
    const watch = this.#watches.get(key)
    // During a restart the provider tells of each step; what counts is the answer.
    if (watch && !watch.restarting && !this.#signal.aborted) this.#note(watch, report)
  }

  /** Takes an end that is noted already. */
  acknowledge(key: string, report: AllocationReport): void {
    const watch = this.#watches.get(key)
    if (watch === undefined) return
    watch.report = report
    watch.ended = true
  }

  stop(): void {
    this.#stopping.abort(new Error('supervision has stopped'))
  }

  get #signal(): AbortSignal {
    return this.#stopping.signal
  }

  async #pollLoop(): Promise<void> {
    while ([...this.#watches.values()].some(watch => !watch.ended)) {
      const live = [...this.#watches.values()].filter(watch => !watch.ended)
      const limiter = new Limiter(MAX_PARALLEL_QUESTIONS, live.length)
      await Promise.all(live.map(watch => limiter.run(() => this.#guard(this.#poll(watch)))))
      await this.#deps.clock.sleep(STATUS_POLL_MS, { signal: this.#signal })
    }
  }

  async #poll(watch: Watch): Promise<void> {
    const { allocation } = watch
    const behavior = ensembleBehaviors(this.#options.ensembleId).status
    const options = { timeoutMs: ASK_LIMIT_MS, signal: this.#signal }
    const payload = { AllocationID: allocation.id }
    const reply = await this.#deps.actor.invoke(allocation.provider, behavior, payload, options)
    const answer = reply.ok ? allocationStatusSchema.safeParse(reply.value.payload) : undefined
    const isAlive = answer?.success === true || (await this.#isAlive(watch))
    if (this.#signal.aborted || watch.restarting) return
    watch.silentPolls = isAlive ? 0 : watch.silentPolls + 1
    if (answer?.success) this.#note(watch, readStatus(answer.data))
    else if (isAlive) this.#note(watch, { status: 'running', exitCode: undefined, reason: '' })
    else if (watch.silentPolls >= MAX_SILENT_POLLS)
      this.#note(watch, { status: 'unknown', exitCode: undefined, reason: 'its provider does not answer' })
  }

  /** A provider of the existing system has no status behaviour, but every allocation answers a health check. */
  async #isAlive(watch: Watch): Promise<boolean> {
    const { handle, id } = watch.allocation
    const options = { timeoutMs: ASK_LIMIT_MS, signal: this.#signal }
    const reply = await this.#deps.actor.invoke(handle, BEHAVIORS.healthCheck, id, options)
    return reply.ok
  }

  #note(watch: Watch, report: AllocationReport): void {
    const before = watch.report
    const isSame =
      before.status === report.status &&
      before.exitCode === report.exitCode &&
      before.reason === report.reason
    if (watch.ended || isSame || !this.#tell(watch, report)) return
    watch.ended = isEnded(report.status, watch.allocation)
    // A service that left by itself, with whatever exit code, does not serve any more.
    const isDown = report.status === 'failed' || report.status === 'completed'
    if (!isDown || watch.ended || watch.allocation.type !== 'service') return
    const services = [...this.#watches.values()].filter(other => other.allocation.type === 'service')
    void this.#guard(this.#restarter.recover(watch, services, { signal: this.#signal }))
  }

  /** Whether the report was noted; else the next question brings it again. */
  #tell(watch: Watch, report: AllocationReport): boolean {
    try {
      if (!this.#options.onReport(watch.allocation.key, report)) return false
    } catch (error) {
      this.#logFault(error)
      return false
    }
    watch.report = report
    return true
  }

  /** Background work ends with supervision; anything else that is thrown is a fault worth a line. */
  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      if (!this.#signal.aborted) this.#logFault(error)
    }
  }

  #logFault(error: unknown): void {
    this.#deps.log.error('supervision failed', { ensemble: this.#options.ensembleId, error })
  }
}

function readStatus(answer: {
  OK: boolean
  Error: string
  Status: string
  ExitCode: number
  Reason: string
}): AllocationReport {
  if (!answer.OK)
    return {
      status: 'failed',
      exitCode: undefined,
      reason: answer.Error || 'the provider no longer knows it'
    }
  const { Status: status, ExitCode, Reason: reason } = answer
  return { status, exitCode: isOver(status) ? ExitCode : undefined, reason }
}
