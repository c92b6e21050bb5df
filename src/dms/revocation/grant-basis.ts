/**
 * What the dynamic grants of this node rest on. A provider lets an orchestrator act for the time of a deployment
 * because some chain of tokens let it in (identity-and-actors §11.4); when a link of that chain is revoked, the grants
 * go with it. The chain is remembered by the keys of its links, in the database, so that a provider that was off when
 * it happened does not grant anew what was taken back.
 */

import type { RevocationRepository } from '../../db/index.ts'
import { chainOf, revocationKey, type Token } from '../../lib/ucan/index.ts'
import type { Clock, Did, Logger } from '../../types/index.ts'
import { NuError } from '../../utils/index.ts'
import type { RevocationRegistry } from './registry.ts'

/** A grant is asked for whose authority was revoked. */
export class GrantRevokedError extends NuError {
  override readonly name = 'GrantRevokedError'
  readonly code = 'GRANT_REVOKED'
}

/** Something given to a subject that can be taken back. */
export interface Revocable {
  revoke(): void
}

export interface GrantBasisDeps {
  registry: Pick<RevocationRegistry, 'isRevoked' | 'onAdded'>
  records: Pick<RevocationRepository, 'basisOf' | 'saveBasis'>
  clock: Clock
  log: Logger
}

export class GrantBasis {
  readonly #deps: GrantBasisDeps
  readonly #granted = new Map<Did, Set<Revocable>>()
  readonly #leave: () => void

  constructor(deps: GrantBasisDeps) {
    this.#deps = deps
    this.#leave = deps.registry.onAdded(() => this.#drop())
  }

  stop(): void {
    this.#leave()
  }

  /** `proof` let `subject` in: from now on its grants rest on that. */
  remember(subject: Did, proof: Token): void {
    this.#deps.records.saveBasis(subject, chainOf(proof).map(revocationKey), this.#deps.clock.nowMs())
  }

  /** @throws GrantRevokedError `GRANT_REVOKED` when what a grant to `subject` would rest on was revoked. */
  check(subject: Did): void {
    if (!this.#isRevoked(subject)) return
    throw new GrantRevokedError(`the authority of '${subject}' was revoked`, {
      hint: 'it needs a new delegation from its organisation'
    })
  }

  /** Keeps the handle of a grant while it is in force; the grant that comes back also leaves this memory. */
  keep(subject: Did, grant: Revocable): Revocable {
    const granted = this.#granted.get(subject) ?? new Set()
    this.#granted.set(subject, granted)
    const kept = {
      revoke: () => {
        grant.revoke()
        granted.delete(kept)
        if (granted.size === 0 && this.#granted.get(subject) === granted) this.#granted.delete(subject)
      }
    }
    granted.add(kept)
    return kept
  }

  #drop(): void {
    for (const [subject, granted] of [...this.#granted]) {
      if (!this.#isRevoked(subject)) continue
      this.#deps.log.warn('grants taken back: what they rest on was revoked', {
        subject,
        count: granted.size
      })
      for (const grant of [...granted]) grant.revoke()
    }
  }

  #isRevoked(subject: Did): boolean {
    return (this.#deps.records.basisOf(subject) ?? []).some(key => this.#deps.registry.isRevoked(key))
  }
}
