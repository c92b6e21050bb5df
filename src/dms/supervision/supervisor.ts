/**
 * Watches the allocations of one running deployment from the orchestrator's side: asks for their status, runs
 * their health checks, restarts what failed as the ensemble says, and reports each change. A provider that is
 * silent is reported as unknown, not as healthy.
 */

import type { Actor } from '../../actor/index.ts'
import type { Clock, Logger } from '../../types/index.ts'
import { Limiter } from '../../utils/index.ts'
import { allocationStatusSchema, BEHAVIORS, ensembleBehaviors, okReplySchema } from '../jobs/index.ts'
import {
  ASK_LIMIT_MS,
  HEALTH_FAILURES,
  HEALTH_INTERVAL_MS,
  MAX_PARALLEL_QUESTIONS,
  MAX_SILENT_POLLS,
  RESTART_LIMIT_MS,
  STATUS_POLL_MS
} from './constants.ts'
import { restartPauseMs, restartSet } from './restart-policy.ts'
import type { AllocationReport, WatchedAllocation } from './types.ts'

export interface SupervisorDeps {
  actor: Pick<Actor, 'invoke'>
  clock: Clock
  log: Logger
}

export interface SupervisorOptions {
  ensembleId: string
  /** Told once per change. Must not throw. */
  onReport: (key: string, report: AllocationReport) => void
}

interface Watch {
  readonly allocation: WatchedAllocation
  report: AllocationReport
  silentPolls: number
  failedChecks: number
  restarts: number
  restarting: boolean
  ended: boolean
}

export class Supervisor {
  readonly #deps: SupervisorDeps
  readonly #options: SupervisorOptions
  readonly #watches = new Map<string, Watch>()
  readonly #stopping = new AbortController()

  constructor(deps: SupervisorDeps, options: SupervisorOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Begins to watch; call once. `status` is what is known already. */
  start(allocations: readonly (WatchedAllocation & { readonly status: string })[]): void {
    for (const { status, ...allocation } of allocations) {
      const report: AllocationReport = { status, exitCode: undefined, reason: '' }
      const watch: Watch = {
        allocation,
        report,
        silentPolls: 0,
        failedChecks: 0,
        restarts: 0,
        restarting: false,
        ended: isEnded(status, allocation)
      }
      this.#watches.set(allocation.key, watch)
      if (!watch.ended && allocation.healthCheck) void this.#guard(this.#healthLoop(watch))
    }
    void this.#guard(this.#pollLoop())
  }

  /** Takes a change that a provider pushed. */
  push(key: string, report: AllocationReport): void {
    const watch = this.#watches.get(key)
    if (watch && !watch.ended) this.#note(watch, report)
  }

  /** Asks every live allocation now: after a restart of the orchestrator, and for `--include-usage`. */
  async refresh(): Promise<void> {
    const live = [...this.#watches.values()].filter(watch => !watch.ended)
    const limiter = new Limiter(MAX_PARALLEL_QUESTIONS, live.length)
    await Promise.all(live.map(watch => limiter.run(() => this.#poll(watch))))
  }

  stop(): void {
    this.#stopping.abort(new Error('supervision has stopped'))
  }

  get #signal(): AbortSignal {
    return this.#stopping.signal
  }

  async #pollLoop(): Promise<void> {
    for (;;) {
      await this.refresh()
      await this.#deps.clock.sleep(STATUS_POLL_MS, { signal: this.#signal })
    }
  }

  async #poll(watch: Watch): Promise<void> {
    const { allocation } = watch
    const behavior = ensembleBehaviors(this.#options.ensembleId).status
    const options = { timeoutMs: ASK_LIMIT_MS, signal: this.#signal }
    const reply = await this.#deps.actor.invoke(
      allocation.provider,
      behavior,
      { AllocationID: allocation.id },
      options
    )
    if (this.#signal.aborted || watch.ended || watch.restarting) return
    const answer = reply.ok ? allocationStatusSchema.safeParse(reply.value.payload) : undefined
    if (answer?.success) {
      watch.silentPolls = 0
      const { OK, Status, ExitCode, Reason, Error: error } = answer.data
      if (OK)
        this.#note(watch, { status: Status, exitCode: isOver(Status) ? ExitCode : undefined, reason: Reason })
      else
        this.#note(watch, {
          status: 'failed',
          exitCode: undefined,
          reason: error || 'the provider no longer knows it'
        })
    } else if (await this.#isAlive(watch)) {
      watch.silentPolls = 0
      this.#note(watch, { status: 'running', exitCode: undefined, reason: '' })
    } else if (++watch.silentPolls >= MAX_SILENT_POLLS) {
      this.#note(watch, { status: 'unknown', exitCode: undefined, reason: 'its provider does not answer' })
    }
  }

  /** A provider of the existing system has no status behaviour, but every allocation answers a health check. */
  async #isAlive(watch: Watch): Promise<boolean> {
    const { handle, id } = watch.allocation
    const reply = await this.#deps.actor.invoke(handle, BEHAVIORS.healthCheck, id, {
      timeoutMs: ASK_LIMIT_MS,
      signal: this.#signal
    })
    return reply.ok
  }

  #note(watch: Watch, report: AllocationReport): void {
    const { key } = watch.allocation
    const before = watch.report
    if (
      before.status === report.status &&
      before.exitCode === report.exitCode &&
      before.reason === report.reason
    )
      return
    watch.report = report
    watch.ended = isEnded(report.status, watch.allocation)
    this.#options.onReport(key, report)
    if (report.status === 'failed' && watch.allocation.type === 'service')
      void this.#guard(this.#recover(watch))
  }

  /** Applies the recovery strategy of a failed service. */
  async #recover(failed: Watch): Promise<void> {
    const services = [...this.#watches.values()].filter(watch => watch.allocation.type === 'service')
    const keys = restartSet(
      failed.allocation.recovery,
      failed.allocation.key,
      services.map(watch => watch.allocation.key)
    )
    for (const key of keys) {
      const watch = this.#watches.get(key)
      if (watch && !watch.restarting) await this.#restart(watch)
    }
  }

  async #restart(watch: Watch): Promise<void> {
    const pause = restartPauseMs(watch.restarts)
    const { key, handle, id } = watch.allocation
    if (pause === undefined) {
      this.#options.onReport(key, {
        ...watch.report,
        reason: `${watch.report.reason}; restarted ${watch.restarts} times, left down`
      })
      return
    }
    watch.restarts++
    watch.restarting = true
    try {
      this.#options.onReport(key, { status: 'restarting', exitCode: undefined, reason: watch.report.reason })
      await this.#deps.clock.sleep(pause, { signal: this.#signal })
      const reply = await this.#deps.actor.invoke(handle, BEHAVIORS.allocationRestart, id, {
        timeoutMs: RESTART_LIMIT_MS,
        signal: this.#signal
      })
      const answer = reply.ok ? okReplySchema.safeParse(reply.value.payload) : undefined
      const restarted = answer?.success === true && answer.data.OK
      const reason = reply.ok ? (answer?.data?.Error ?? 'restart failed') : reply.error.message
      watch.report = restarted
        ? { status: 'running', exitCode: undefined, reason: '' }
        : { status: 'failed', exitCode: undefined, reason }
      watch.ended = false
      watch.failedChecks = 0
      this.#options.onReport(key, watch.report)
      if (restarted) return
    } finally {
      watch.restarting = false
    }
    await this.#restart(watch)
  }

  /** Registers the check at the allocation, then runs it at its interval (deployment §2.10). */
  async #healthLoop(watch: Watch): Promise<void> {
    const { handle, healthCheck } = watch.allocation
    const payload = { EnsembleID: this.#options.ensembleId, HealthCheck: healthCheck }
    const registered = await this.#deps.actor.invoke(handle, BEHAVIORS.healthCheckRegister, payload, {
      timeoutMs: ASK_LIMIT_MS,
      signal: this.#signal
    })
    if (!registered.ok) {
      this.#deps.log.warn('health check not registered', {
        allocation: watch.allocation.id,
        reason: registered.error.message
      })
      return
    }
    const intervalMs = healthCheck?.interval
      ? Math.max(1_000, healthCheck.interval / 1e6)
      : HEALTH_INTERVAL_MS
    while (!this.#signal.aborted) {
      await this.#deps.clock.sleep(intervalMs, { signal: this.#signal })
      if (watch.report.status === 'running' && !watch.restarting) await this.#check(watch)
    }
  }

  async #check(watch: Watch): Promise<void> {
    const { handle, id } = watch.allocation
    const reply = await this.#deps.actor.invoke(handle, BEHAVIORS.healthCheck, id, {
      timeoutMs: ASK_LIMIT_MS,
      signal: this.#signal
    })
    if (this.#signal.aborted) return
    const answer = reply.ok ? okReplySchema.safeParse(reply.value.payload) : undefined
    if (answer?.success && answer.data.OK) {
      watch.failedChecks = 0
      return
    }
    watch.failedChecks++
    if (watch.failedChecks < HEALTH_FAILURES) return
    watch.failedChecks = 0
    const reason = reply.ok ? (answer?.data?.Error ?? 'unreadable answer') : reply.error.message
    this.#note(watch, {
      status: 'failed',
      exitCode: undefined,
      reason: `health check failed ${HEALTH_FAILURES} times: ${reason}`
    })
  }

  /** Background work ends with supervision; anything else that is thrown is a fault worth a line. */
  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      if (!this.#signal.aborted)
        this.#deps.log.error('supervision failed', { ensemble: this.#options.ensembleId, error })
    }
  }

  /** For shutdown: no restarts while allocations are being taken down. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
  }
}

/** A task is over for good; a service that failed may come back. */
function isEnded(status: string, allocation: { readonly type: string; readonly recovery: string }): boolean {
  if (status === 'completed' || status === 'terminated') return true
  return status === 'failed' && (allocation.type === 'task' || allocation.recovery === 'stay_down')
}

/** Whether a status carries an exit code. */
export function isOver(status: string): boolean {
  return status === 'completed' || status === 'failed' || status === 'terminated' || status === 'stopped'
}
