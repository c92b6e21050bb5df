/**
 * Dynamic grants (identity-and-actors §11.3): nothing is sent; the grantor signs a delegation and installs it in
 * its own require anchors, which admits the grantee's ordinary, self-signed messages. A grant lives as long as
 * its holder keeps it and is renewed at half its life; revoking it removes the anchor at once.
 */

import type { Token } from '../../lib/ucan/index.ts'
import type { Timer } from '../../types/index.ts'
import { GRANT_LOOK_MS } from './constants.ts'
import {
  type Grant,
  type GrantKeeperDeps,
  type GrantRequest,
  type GrantState,
  KeptGrant
} from './kept-grant.ts'

/** Keeps dynamic grants alive while they are needed. `stop` revokes them all. */
export class GrantKeeper {
  readonly #deps: GrantKeeperDeps
  readonly #grants = new Set<KeptGrant>()
  #timer: Timer | undefined
  #isStopped = false

  constructor(deps: GrantKeeperDeps) {
    this.#deps = deps
  }

  /** Installs a grant; resolves when messages covered by it are admitted. After `stop` it is revoked at once. */
  async install(request: GrantRequest): Promise<Grant> {
    const kept = new KeptGrant(this.#deps, request, () => this.#remove(kept))
    this.#grants.add(kept)
    try {
      await kept.install()
    } catch (error) {
      kept.revoke()
      throw error
    }
    if (this.#isStopped) kept.revoke()
    else this.#timer ??= this.#arm()
    return kept
  }

  /** How each grant in force stands. */
  states(): GrantState[] {
    return [...this.#grants].map(grant => grant.state).filter(state => state !== undefined)
  }

  /** The tokens that are in the require anchors on behalf of grants: they come and go with them. */
  tokens(): Token[] {
    return [...this.#grants].map(grant => grant.token).filter(token => token !== undefined)
  }

  stop(): void {
    this.#isStopped = true
    for (const grant of [...this.#grants]) grant.revoke()
  }

  #arm(): Timer {
    return this.#deps.clock.setTimer(GRANT_LOOK_MS, () => {
      this.#timer = this.#arm()
      for (const grant of this.#grants) void grant.look()
    })
  }

  #remove(kept: KeptGrant): void {
    this.#grants.delete(kept)
    if (this.#grants.size > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
