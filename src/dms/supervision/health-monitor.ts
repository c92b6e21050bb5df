/** Registers an allocation's health check at its actor and asks for it at its interval (deployment §2.10). */

import type { Actor } from '../../actor/index.ts'
import type { AbortOptions, Clock } from '../../types/index.ts'
import { BEHAVIORS, okReplySchema } from '../jobs/index.ts'
import {
  ASK_LIMIT_MS,
  HEALTH_FAILURES,
  HEALTH_INTERVAL_MS,
  MAX_HEALTH_INTERVAL_MS,
  MIN_HEALTH_INTERVAL_MS
} from './constants.ts'
import type { Watch } from './watch.ts'

export interface HealthMonitorDeps {
  actor: Pick<Actor, 'invoke'>
  clock: Clock
  ensembleId: string
  /** Called when a check has failed too often in a row. */
  onUnhealthy: (watch: Watch, reason: string) => void
}

export class HealthMonitor {
  readonly #deps: HealthMonitorDeps

  constructor(deps: HealthMonitorDeps) {
    this.#deps = deps
  }

  /** Until the allocation has ended or the signal fires. Rejects with the signal's reason. */
  async run(watch: Watch, options: AbortOptions): Promise<void> {
    const { handle, healthCheck } = watch.allocation
    const payload = { EnsembleID: this.#deps.ensembleId, HealthCheck: healthCheck }
    const askedMs = healthCheck?.interval ? healthCheck.interval / 1e6 : HEALTH_INTERVAL_MS
    const intervalMs = Math.min(Math.max(askedMs, MIN_HEALTH_INTERVAL_MS), MAX_HEALTH_INTERVAL_MS)
    let isRegistered = false
    while (!watch.ended) {
      // Unregistered, every check would be answered OK; so this is repeated until it succeeds.
      isRegistered ||=
        (await this.#ask(handle, BEHAVIORS.healthCheckRegister, payload, options)) === undefined
      await this.#deps.clock.sleep(intervalMs, options)
      if (isRegistered && watch.report.status === 'running' && !watch.restarting)
        await this.#check(watch, options)
    }
  }

  async #check(watch: Watch, options: AbortOptions): Promise<void> {
    const { handle, id } = watch.allocation
    const problem = await this.#ask(handle, BEHAVIORS.healthCheck, id, options)
    // While it was asked, something else may have happened to it.
    if (watch.ended || watch.restarting || watch.report.status !== 'running') return
    watch.failedChecks = problem === undefined ? 0 : watch.failedChecks + 1
    if (problem === undefined || watch.failedChecks < HEALTH_FAILURES) return
    watch.failedChecks = 0
    this.#deps.onUnhealthy(watch, `health check failed ${HEALTH_FAILURES} times: ${problem}`)
  }

  /** The problem, or `undefined` when the answer was OK. */
  async #ask(
    handle: Watch['allocation']['handle'],
    behavior: string,
    payload: unknown,
    { signal }: AbortOptions
  ): Promise<string | undefined> {
    const reply = await this.#deps.actor.invoke(handle, behavior, payload, {
      timeoutMs: ASK_LIMIT_MS,
      signal
    })
    signal?.throwIfAborted()
    if (!reply.ok) return reply.error.message
    const answer = okReplySchema.safeParse(reply.value.payload)
    if (answer.success && answer.data.OK) return undefined
    return answer.data?.Error || 'unreadable answer'
  }
}
