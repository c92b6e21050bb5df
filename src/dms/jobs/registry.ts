/**
 * The allocations of this process: made from records, given an actor and behaviours, and let go. The database is
 * the truth; everything here is made again from it after a restart.
 */

import type { ChildActor } from '../../actor/index.ts'
import type { AllocationRecord } from '../../db/index.ts'
import { errorCode, errorMessage } from '../../utils/index.ts'
import { Allocation, type AllocationDeps, type AllocationOptions } from './allocation.ts'
import { serveAllocation } from './allocation-actor.ts'
import type { EnsembleService } from './ensemble-service.ts'
import { httpGet } from './http-get.ts'
import { executionOf, optionsOf, resultOf, specOf } from './stored.ts'
import type { ProviderDeps } from './types.ts'

export type RegistryDeps = AllocationDeps &
  Pick<ProviderDeps, 'createAllocationActor' | 'httpGet'> & {
    /** Made after the registry, since it looks allocations up in it. */
    readonly ensembles: () => EnsembleService
  }

export class AllocationRegistry {
  readonly #deps: RegistryDeps
  readonly #options: AllocationOptions
  readonly #allocations = new Map<string, Allocation>()

  constructor(deps: RegistryDeps, options: AllocationOptions) {
    this.#deps = deps
    this.#options = options
  }

  get(id: string): Allocation | undefined {
    return this.#allocations.get(id)
  }

  all(): Allocation[] {
    return [...this.#allocations.values()]
  }

  /** Puts an allocation to work in this process: behaviours of its actor and of its ensemble. */
  add(record: AllocationRecord, actor: ChildActor): Allocation {
    const allocation = new Allocation(this.#deps, this.#options, record, actor)
    this.#allocations.set(record.id, allocation)
    serveAllocation({ clock: this.#deps.clock, httpGet: this.#deps.httpGet ?? httpGet }, allocation)
    this.#deps.ensembles().add(record.ensembleId)
    return allocation
  }

  /** Takes up a record of an earlier run, with the identity it had. Never throws: one bad row must not stop a node. */
  async restore(record: AllocationRecord): Promise<void> {
    const { createAllocationActor, log } = this.#deps
    try {
      for (const read of [specOf, optionsOf, executionOf, resultOf]) read(record)
      const actor = await createAllocationActor(record.id, record.actorKey)
      await this.add(record, actor).recover()
    } catch (error) {
      log.error('allocation not restored', { allocationId: record.id, reason: errorMessage(error) })
      // Its place would be taken for ever; its workload, now unknown, is removed as an orphan.
      if (errorCode(error) === 'JOBS_RECORD_CORRUPT') this.erase(record.id)
    }
  }

  /** Forgets an allocation and stops its actor; its workload and its row are the caller's. */
  async drop(id: string): Promise<void> {
    const allocation = this.#allocations.get(id)
    if (allocation === undefined) return
    this.#allocations.delete(id)
    allocation.close()
    const { ensembleId } = allocation.record
    if (!this.all().some(other => other.record.ensembleId === ensembleId))
      this.#deps.ensembles().remove(ensembleId)
    await allocation.actor.stop()
  }

  /** Removes the row and the reservation, if it has a row: a commit that was never allocated stays one. */
  erase(id: string): void {
    const { db, resources } = this.#deps
    db.transaction(() => {
      if (db.allocations.delete(id)) resources.release(id)
    })
  }

  /** Lets go of all without touching their workloads. */
  async close(): Promise<void> {
    this.#deps.ensembles().removeAll()
    const allocations = this.all()
    this.#allocations.clear()
    for (const allocation of allocations) allocation.close()
    await Promise.allSettled(allocations.map(allocation => allocation.actor.stop()))
  }
}
