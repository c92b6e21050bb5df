/** Restarts failed services as the ensemble says, with pauses that grow and an end (deployment §2.11). */

import type { Actor } from '../../actor/index.ts'
import type { AbortOptions, Clock } from '../../types/index.ts'
import { BEHAVIORS, okReplySchema } from '../jobs/index.ts'
import { RESTART_LIMIT_MS, STABLE_AFTER_MS } from './constants.ts'
import { restartPauseMs, restartSet } from './restart-policy.ts'
import type { AllocationReport } from './types.ts'
import type { Watch } from './watch.ts'

export interface RestarterDeps {
  actor: Pick<Actor, 'invoke'>
  clock: Clock
  onReport: (watch: Watch, report: AllocationReport) => void
}

export class Restarter {
  readonly #deps: RestarterDeps

  constructor(deps: RestarterDeps) {
    this.#deps = deps
  }

  /** Applies the strategy of a failed service. `services` are all of them in the order of the ensemble file. */
  async recover(failed: Watch, services: readonly Watch[], options: AbortOptions): Promise<void> {
    const failedAtMs = this.#deps.clock.monotonicMs()
    const keys = new Set(
      restartSet(
        failed.allocation.recovery,
        failed.allocation.key,
        services.map(watch => watch.allocation.key)
      )
    )
    for (const watch of services) {
      if (!keys.has(watch.allocation.key) || watch.restarting || watch.ended) continue
      // Two that fail together ask for the same restarts: what was started again since need not be once more.
      if ((watch.restartedAtMs ?? Number.NEGATIVE_INFINITY) > failedAtMs) continue
      await this.#restart(watch, options)
    }
  }

  async #restart(watch: Watch, options: AbortOptions): Promise<void> {
    const { clock, onReport } = this.#deps
    const { reason } = watch.report
    const ranForMs = clock.monotonicMs() - (watch.restartedAtMs ?? Number.POSITIVE_INFINITY)
    if (ranForMs >= STABLE_AFTER_MS) watch.restarts = 0
    watch.restarting = true
    try {
      for (let pauseMs = restartPauseMs(watch.restarts); ; pauseMs = restartPauseMs(watch.restarts)) {
        if (pauseMs === undefined) return this.#leaveDown(watch)
        watch.restarts++
        onReport(watch, { status: 'restarting', exitCode: undefined, reason })
        await clock.sleep(pauseMs, options)
        const problem = await this.#ask(watch, options)
        watch.failedChecks = 0
        watch.restartedAtMs = clock.monotonicMs()
        if (problem === undefined)
          return onReport(watch, { status: 'running', exitCode: undefined, reason: '' })
        onReport(watch, { status: 'failed', exitCode: undefined, reason: problem })
      }
    } finally {
      watch.restarting = false
    }
  }

  #leaveDown(watch: Watch): void {
    const reason = `${watch.report.reason}; restarted ${watch.restarts} times, left down`
    watch.ended = true
    this.#deps.onReport(watch, { status: 'failed', exitCode: watch.report.exitCode, reason })
  }

  async #ask(watch: Watch, { signal }: AbortOptions): Promise<string | undefined> {
    const { handle, id } = watch.allocation
    const options = { timeoutMs: RESTART_LIMIT_MS, signal }
    const reply = await this.#deps.actor.invoke(handle, BEHAVIORS.allocationRestart, id, options)
    signal?.throwIfAborted()
    if (!reply.ok) return reply.error.message
    const answer = okReplySchema.safeParse(reply.value.payload)
    if (answer.success && answer.data.OK) return undefined
    return answer.data?.Error || 'restart failed'
  }
}
