/** Dynamic grants to orchestrators (identity-and-actors §11.3, §11.4), renewed at half of their life. */

import type { Clock, Logger } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import type { Allocation } from './allocation.ts'
import { ALLOCATION_CAPABILITIES } from './allocation-actor.ts'
import { GRANT_LIFETIME_MS, GRANT_RENEWAL_MS } from './constants.ts'
import { ensembleBehaviors } from './messages.ts'
import type { ProviderDeps } from './types.ts'

interface Deps extends Pick<ProviderDeps, 'grant' | 'nodeHandle'> {
  readonly clock: Clock
  readonly log: Logger
}

export class Grants {
  readonly #deps: Deps
  /** When each live grant was made, by what it is for. */
  readonly #grantedAtMs = new Map<string, number>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Grants what the orchestrator of an allocation needs, unless it was granted lately. Throws when the node cannot. */
  async ensure(allocation: Allocation): Promise<void> {
    const { ensembleId, orchestrator: subject } = allocation.record
    await this.#ensure(`${ensembleId}/${subject.did}`, {
      subject,
      audience: this.#deps.nodeHandle,
      capabilities: [ensembleBehaviors(ensembleId).namespace],
      lifetimeMs: GRANT_LIFETIME_MS
    })
    await this.#ensure(allocation.id, {
      subject,
      audience: allocation.actor.handle,
      capabilities: ALLOCATION_CAPABILITIES,
      lifetimeMs: GRANT_LIFETIME_MS
    })
  }

  /** Renews what is due. A failure is logged and tried again at the next call. */
  async renew(allocations: readonly Allocation[]): Promise<void> {
    for (const allocation of allocations) {
      try {
        await this.ensure(allocation)
      } catch (error) {
        this.#deps.log.warn('grant not renewed', { allocationId: allocation.id, reason: errorMessage(error) })
      }
    }
    const oldest = this.#deps.clock.monotonicMs() - GRANT_LIFETIME_MS
    for (const [key, atMs] of this.#grantedAtMs) if (atMs < oldest) this.#grantedAtMs.delete(key)
  }

  async #ensure(key: string, request: Parameters<ProviderDeps['grant']>[0]): Promise<void> {
    const now = this.#deps.clock.monotonicMs()
    const grantedAtMs = this.#grantedAtMs.get(key)
    if (grantedAtMs !== undefined && now - grantedAtMs < GRANT_RENEWAL_MS) return
    await this.#deps.grant(request)
    this.#grantedAtMs.set(key, now)
  }
}
