/** Phase two of a deployment (deployment §2.6, §3.4): commits become allocations with an actor and grants. */

import { type ChildActor, type HandleWire, handleToWire } from '../../actor/index.ts'
import type { AllocationRecord } from '../../db/index.ts'
import type { Handle, Result } from '../../types/index.ts'
import { errorMessage, ok, refusal, refuse } from '../../utils/index.ts'
import { type AcceptedAllocation, acceptAllocations } from './allocate-request.ts'
import type { Commitments } from './commitment.ts'
import type { Grants } from './grants.ts'
import type { AllocateRequest } from './messages.ts'
import type { AllocationRegistry } from './registry.ts'
import type { StoredSpec } from './stored.ts'
import type { ProviderDeps } from './types.ts'

type Deps = Pick<
  ProviderDeps,
  'db' | 'resources' | 'executors' | 'createAllocationActor' | 'clock' | 'log'
> & {
  readonly registry: AllocationRegistry
  readonly commitments: Commitments
  readonly grants: Grants
}

/** An accepted allocation with the actor that was made for it. */
interface Prepared extends AcceptedAllocation {
  readonly actor: ChildActor
}

export class Allocator {
  readonly #deps: Deps
  readonly #allowPrivilegedDocker: boolean

  constructor(deps: Deps, options: { allowPrivilegedDocker: boolean }) {
    this.#deps = deps
    this.#allowPrivilegedDocker = options.allowPrivilegedDocker
  }

  /** Handles of the allocation actors by the names that were sent. All of the message or none is made. */
  async allocate(request: AllocateRequest, from: Handle): Promise<Result<Record<string, HandleWire>>> {
    const checks = { ...this.#deps, allowPrivilegedDocker: this.#allowPrivilegedDocker }
    const accepted = acceptAllocations(checks, request.EnsembleID, request.Allocations, from)
    if (!accepted.ok) return accepted
    const prepared: Prepared[] = []
    try {
      for (const wish of accepted.value) {
        prepared.push({ ...wish, actor: await this.#deps.createAllocationActor(wish.id) })
      }
      const records = this.#store(request, prepared, from)
      const made = records.map(({ record, actor }) => this.#deps.registry.add(record, actor))
      for (const allocation of made) await this.#deps.grants.ensure(allocation)
      return ok(Object.fromEntries(prepared.map(({ name, actor }) => [name, handleToWire(actor.handle)])))
    } catch (error) {
      await this.#undo(accepted.value, prepared)
      this.#deps.log.warn('allocation failed', {
        ensembleId: request.EnsembleID,
        reason: errorMessage(error)
      })
      return refuse(refusal('ALLOCATE_FAILED', `the allocations could not be made: ${errorMessage(error)}`))
    }
  }

  /** Records and reservations in one transaction, before anything can run. */
  #store(
    request: AllocateRequest,
    prepared: readonly Prepared[],
    from: Handle
  ): { record: AllocationRecord; actor: ChildActor }[] {
    const { db, clock, resources, commitments } = this.#deps
    const now = clock.nowMs()
    return db.transaction(() =>
      prepared.map(({ id, name, request: wish, reservation, actor }) => {
        const spec: StoredSpec = { name, request: wish, portMapping: { ...commitments.mappingOf(id) } }
        const record: AllocationRecord = {
          id,
          ensembleId: request.EnsembleID,
          nodeId: request.NodeID || reservation.nodeId,
          orchestrator: from,
          status: 'pending',
          spec,
          actorKey: actor.exportKey(),
          terminationReported: wish.Type !== 'task',
          createdAtMs: now,
          updatedAtMs: now
        }
        const moved = resources.allocate(id)
        if (!moved.ok) throw new Error(moved.error.message)
        db.allocations.save(record)
        return { record, actor }
      })
    )
  }

  /** Nothing ran yet, so rows and actors are all there is. */
  async #undo(accepted: readonly AcceptedAllocation[], prepared: readonly Prepared[]): Promise<void> {
    for (const { id } of accepted) {
      this.#deps.registry.erase(id)
      await this.#deps.registry.drop(id)
    }
    await Promise.allSettled(prepared.map(({ actor }) => actor.stop()))
  }
}
