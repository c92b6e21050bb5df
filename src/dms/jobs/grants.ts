/** Dynamic grants to orchestrators (identity-and-actors §11.3, §11.4): in force as long as an allocation needs them. */

import type { Logger } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import type { Grant } from '../grants/index.ts'
import type { Allocation } from './allocation.ts'
import { ALLOCATION_CAPABILITIES } from './allocation-actor.ts'
import { ensembleBehaviors } from './messages.ts'
import type { GrantRequest, ProviderDeps } from './types.ts'

interface Deps extends Pick<ProviderDeps, 'grant' | 'nodeHandle'> {
  readonly log: Logger
}

export class Grants {
  readonly #deps: Deps
  /** By what each is for. */
  readonly #kept = new Map<string, Grant>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Grants what the orchestrator of an allocation needs. Throws when the node cannot. */
  async ensure(allocation: Allocation): Promise<void> {
    for (const [key, request] of this.#wishes(allocation)) {
      if (!this.#kept.has(key)) this.#kept.set(key, await this.#deps.grant(request))
    }
  }

  /**
   * Grants what these allocations need and revokes the rest. An ended task keeps its grants while its output is here;
   * a terminated allocation needs none. A failure is logged and tried again at the next call.
   */
  async reconcile(all: readonly Allocation[]): Promise<void> {
    const allocations = all.filter(({ record }) => record.status !== 'terminated')
    const needed = new Set(allocations.flatMap(allocation => this.#wishes(allocation).map(([key]) => key)))
    for (const [key, grant] of this.#kept) {
      if (needed.has(key)) continue
      this.#kept.delete(key)
      grant.revoke()
    }
    for (const allocation of allocations) {
      try {
        await this.ensure(allocation)
      } catch (error) {
        this.#deps.log.warn('grant not made', { allocationId: allocation.id, reason: errorMessage(error) })
      }
    }
  }

  /** Revokes all: nobody is served while the node is down. */
  revokeAll(): void {
    for (const grant of this.#kept.values()) grant.revoke()
    this.#kept.clear()
  }

  #wishes(allocation: Allocation): [key: string, request: GrantRequest][] {
    const { ensembleId, orchestrator: subject } = allocation.record
    const namespace = ensembleBehaviors(ensembleId).namespace
    return [
      [
        `${ensembleId}/${subject.did}`,
        { subject, audience: this.#deps.nodeHandle, capabilities: [namespace] }
      ],
      [allocation.id, { subject, audience: allocation.actor.handle, capabilities: ALLOCATION_CAPABILITIES }]
    ]
  }
}
