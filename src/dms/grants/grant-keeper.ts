/**
 * Dynamic grants (identity-and-actors §11.3): nothing is sent; the grantor signs a delegation and installs it in
 * its own require anchors, which admits the grantee's ordinary, self-signed messages. A grant lives as long as
 * its holder keeps it and is renewed at half its life; revoking it removes the anchor at once.
 */

import type { CapabilityContext, Token } from '../../lib/ucan/index.ts'
import type { Clock, Did, Logger, Timer } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import { GRANT_LIFE_MS, GRANT_RENEWAL_MS, GRANT_RETRY_MS } from './constants.ts'

/** Who may call what on whom. */
export interface GrantRequest {
  /** DID of the node that may call: every actor of that node can use it. */
  readonly subject: Did
  /** DID of the actor that may be called. */
  readonly audience: Did
  readonly capabilities: readonly string[]
}

/** Signs a grant and installs it in the grantor's own require anchors; it ends by itself after `lifeMs`. */
async function installGrant(
  deps: Pick<GrantKeeperDeps, 'context' | 'clock'>,
  request: GrantRequest,
  lifeMs: number
): Promise<Token> {
  const token = await deps.context.grant({
    action: 'delegate',
    subject: request.subject,
    audience: request.audience,
    topics: [],
    capabilities: request.capabilities,
    expiresAtNs: deps.clock.nowNs() + BigInt(lifeMs) * 1_000_000n,
    depth: 1n
  })
  const added = deps.context.anchors.addRequire([token])
  if (!added.ok) throw new Error(`a grant signed here was not accepted: ${added.error.message}`)
  return token
}

/** A grant in force. Revoking twice does nothing. */
export interface Grant {
  revoke(): void
}

/** What grants are signed and installed with. */
export interface GrantKeeperDeps {
  context: Pick<CapabilityContext, 'grant' | 'anchors'>
  clock: Clock
  log: Logger
}

/** Keeps dynamic grants alive while they are needed. `stop` revokes them all. */
export class GrantKeeper {
  readonly #deps: GrantKeeperDeps
  readonly #grants = new Set<KeptGrant>()
  #isStopped = false

  constructor(deps: GrantKeeperDeps) {
    this.#deps = deps
  }

  /** Installs a grant; resolves when messages covered by it are admitted. After `stop` it is revoked at once. */
  async install(request: GrantRequest): Promise<Grant> {
    const kept = new KeptGrant(this.#deps, request, () => this.#grants.delete(kept))
    this.#grants.add(kept)
    try {
      await kept.renew()
    } catch (error) {
      kept.revoke()
      throw error
    }
    if (this.#isStopped) kept.revoke()
    return kept
  }

  stop(): void {
    this.#isStopped = true
    for (const grant of [...this.#grants]) grant.revoke()
  }
}

class KeptGrant implements Grant {
  readonly #deps: GrantKeeperDeps
  readonly #request: GrantRequest
  readonly #onRevoke: () => void
  #token: Token | undefined
  #timer: Timer | undefined
  #revoked = false

  constructor(deps: GrantKeeperDeps, request: GrantRequest, onRevoke: () => void) {
    this.#deps = deps
    this.#request = request
    this.#onRevoke = onRevoke
  }

  async renew(): Promise<void> {
    const { context, clock } = this.#deps
    const token = await installGrant(this.#deps, this.#request, GRANT_LIFE_MS)
    if (this.#token) context.anchors.removeRequire(this.#token)
    this.#token = token
    if (this.#revoked) {
      context.anchors.removeRequire(token)
      return
    }
    this.#timer = clock.setTimer(GRANT_RENEWAL_MS, () => void this.#renewInBackground())
  }

  revoke(): void {
    if (this.#revoked) return
    this.#revoked = true
    this.#timer?.cancel()
    if (this.#token) this.#deps.context.anchors.removeRequire(this.#token)
    this.#onRevoke()
  }

  async #renewInBackground(): Promise<void> {
    try {
      await this.renew()
    } catch (error) {
      if (!this.#revoked)
        this.#timer = this.#deps.clock.setTimer(GRANT_RETRY_MS, () => void this.#renewInBackground())
      this.#deps.log.error('dynamic grant not renewed', {
        capabilities: this.#request.capabilities,
        subject: this.#request.subject,
        error: errorMessage(error)
      })
    }
  }
}
