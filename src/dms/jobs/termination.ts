/**
 * Tells orchestrators how their tasks ended (deployment §2.14), again and again until the message was handed over
 * or a day has passed. Whether it was is stored, so a restart goes on where it stopped.
 */

import type { Clock, Logger, RandomSource } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import type { Allocation } from './allocation.ts'
import {
  REPORT_EXPIRY_MS,
  REPORT_FIRST_DELAY_MS,
  REPORT_MAX_DELAY_MS,
  REPORT_WINDOW_MS
} from './constants.ts'
import type { LogReader } from './logs.ts'
import { BEHAVIORS } from './messages.ts'
import { resultOf } from './stored.ts'

interface Deps {
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly logs: LogReader
}

export class TerminationReporter {
  readonly #deps: Deps
  /** Ids that are being reported, so that two callers do not report one end twice. */
  readonly #active = new Set<string>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Goes on until handed over, given up, or `signal` fires. Never throws. */
  async report(allocation: Allocation, signal: AbortSignal): Promise<void> {
    if (this.#active.has(allocation.id) || allocation.record.terminationReported) return
    this.#active.add(allocation.id)
    try {
      await this.#repeat(allocation, signal)
    } catch (error) {
      // The stored flag is unset, so housekeeping begins anew.
      if (!signal.aborted)
        this.#deps.log.warn('report of a task interrupted', {
          allocationId: allocation.id,
          reason: errorMessage(error)
        })
    } finally {
      this.#active.delete(allocation.id)
    }
  }

  async #repeat(allocation: Allocation, signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#deps
    const untilMs = (allocation.record.endedAtMs ?? clock.nowMs()) + REPORT_WINDOW_MS
    for (
      let delayMs = REPORT_FIRST_DELAY_MS;
      clock.nowMs() < untilMs;
      delayMs = Math.min(delayMs * 2, REPORT_MAX_DELAY_MS)
    ) {
      const payload = await this.#payload(allocation)
      const { actor, record } = allocation
      const sent = await actor.send(record.orchestrator, BEHAVIORS.taskTermination, payload, {
        timeoutMs: REPORT_EXPIRY_MS,
        signal
      })
      if (sent.ok) return allocation.markReported()
      signal.throwIfAborted()
      log.debug('report of a task not handed over', {
        allocationId: allocation.id,
        reason: sent.error.message
      })
      await clock.sleep(delayMs / 2 + random.below(Math.ceil(delayMs / 2)), { signal })
    }
    log.warn('report of a task given up', { allocationId: allocation.id })
    allocation.markReported()
  }

  async #payload(allocation: Allocation): Promise<Record<string, unknown>> {
    const result = resultOf(allocation.record) ?? { exitCode: 0, killed: false, error: '' }
    const { stdout, stderr, isTruncated } = await this.#deps.logs.readWhole(allocation)
    return {
      allocation_id: allocation.id,
      status: allocation.record.status === 'completed' ? 'completed' : 'failed',
      error: { err: result.error, exit_code: result.exitCode, killed: result.killed },
      stdout,
      stderr,
      logs_truncated: isTruncated
    }
  }
}
