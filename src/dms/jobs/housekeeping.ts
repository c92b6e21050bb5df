/** The minute round of the provider: renews, finishes what could not be finished, forgets what is over. */

import type { Clock, Logger, Timer } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import type { Allocation } from './allocation.ts'
import type { BidDesk } from './bidding.ts'
import type { Commitments } from './commitment.ts'
import { HOUSEKEEPING_MS, IDLE_TTL_MS } from './constants.ts'
import { resultsDirectory } from './execution.ts'
import type { Grants } from './grants.ts'
import type { AllocationRegistry } from './registry.ts'
import { optionsOf } from './stored.ts'
import { isActive, isEnded } from './transitions.ts'
import type { JobFiles, ProviderDeps } from './types.ts'

interface Deps extends Pick<ProviderDeps, 'db'> {
  readonly clock: Clock
  readonly log: Logger
  readonly files: JobFiles
  readonly registry: AllocationRegistry
  readonly bids: BidDesk
  readonly commitments: Commitments
  readonly grants: Grants
}

export class Housekeeper {
  readonly #deps: Deps
  readonly #options: { readonly workDirectory: string; readonly logRetentionMs: number }
  #timer: Timer | undefined
  #isStopped = false

  constructor(deps: Deps, options: { workDirectory: string; logRetentionMs: number }) {
    this.#deps = deps
    this.#options = options
  }

  start(): void {
    this.#isStopped = false
    this.#timer = this.#deps.clock.setTimer(HOUSEKEEPING_MS, () => {
      void this.run().finally(() => {
        if (!this.#isStopped) this.start()
      })
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  /** One round. Never throws. */
  async run(): Promise<void> {
    const { bids, commitments, registry, grants, log } = this.#deps
    bids.sweep()
    try {
      commitments.sweep()
    } catch (error) {
      log.warn('housekeeping failed', { reason: errorMessage(error) })
    }
    for (const allocation of registry.all()) {
      if (this.#isStopped) return
      try {
        await this.#review(allocation)
      } catch (error) {
        log.warn('housekeeping failed', { allocationId: allocation.id, reason: errorMessage(error) })
      }
    }
    await grants.reconcile(registry.all())
  }

  async #review(allocation: Allocation): Promise<void> {
    const { record } = allocation
    const ageMs = this.#deps.clock.nowMs() - record.updatedAtMs
    if (isOver(allocation)) {
      await allocation.settle()
      if (ageMs >= this.#options.logRetentionMs && this.#isSettled(allocation)) await this.#forget(allocation)
      return
    }
    if (optionsOf(record).isTerminating) return void (await allocation.terminate())
    await allocation.settle()
    if (isActive(record.status) || ageMs <= IDLE_TTL_MS) return
    this.#deps.log.info('idle allocation given back', { allocationId: record.id, status: record.status })
    await allocation.terminate()
  }

  /** Nothing of it runs or is reserved, and its orchestrator was told. A late report begins the retention anew. */
  #isSettled({ record }: Allocation): boolean {
    const holdsNothing = record.execution == null && this.#deps.db.reservations.get(record.id) === undefined
    return holdsNothing && record.terminationReported
  }

  async #forget(allocation: Allocation): Promise<void> {
    const { files, db, registry } = this.#deps
    await files.removeDirectory(resultsDirectory(this.#options.workDirectory, allocation.id))
    db.allocations.delete(allocation.id)
    await registry.drop(allocation.id)
  }
}

/** It will not run again. */
function isOver(allocation: Allocation): boolean {
  const { status } = allocation.record
  return status === 'terminated' || (allocation.isTask && isEnded(status))
}
