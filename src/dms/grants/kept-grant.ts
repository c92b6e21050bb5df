/**
 * One dynamic grant and its renewals. The grant holds as long as its newest token; a renewal that fails leaves that
 * token where it is, is told, and is tried again at the next look, also after the token has ended.
 */

import type { CapabilityContext, Token } from '../../lib/ucan/index.ts'
import type { Clock, Did, Logger } from '../../types/index.ts'
import { deadline, errorMessage, formatDuration, isoTime, raceSignal } from '../../utils/index.ts'
import {
  GRANT_ALARMS_MS,
  GRANT_LIFE_MS,
  GRANT_RENEWAL_MS,
  GRANT_SIGNING_LIMIT_MS,
  GRANT_URGENT_MS
} from './constants.ts'

/** Who may call what on whom. */
export interface GrantRequest {
  /** DID of the node that may call: every actor of that node can use it. */
  readonly subject: Did
  /** DID of the actor that may be called. */
  readonly audience: Did
  readonly capabilities: readonly string[]
}

/** A grant in force. Revoking twice does nothing. */
export interface Grant {
  revoke(): void
}

/** How a grant stands. */
export interface GrantState extends GrantRequest {
  /** Wall clock, milliseconds: when its newest token ends. */
  readonly endsAtMs: number
  /** Why it was not renewed when it was last due; absent while all is well. */
  readonly failure?: string
}

/** What grants are signed and installed with. */
export interface GrantKeeperDeps {
  context: Pick<CapabilityContext, 'grant' | 'anchors'>
  clock: Clock
  log: Logger
}

export class KeptGrant implements Grant {
  readonly #deps: GrantKeeperDeps
  readonly #request: GrantRequest
  readonly #onRevoke: () => void
  #token: Token | undefined
  #failure: string | undefined
  /** Alarms that were given for the token in force: the first failure, then one for each time in the table. */
  #alarms = 0
  #isRenewing = false
  readonly #end = new AbortController()

  constructor(deps: GrantKeeperDeps, request: GrantRequest, onRevoke: () => void) {
    this.#deps = deps
    this.#request = request
    this.#onRevoke = onRevoke
  }

  /** `undefined` before the first token is installed. */
  get state(): GrantState | undefined {
    if (this.#token === undefined) return undefined
    return {
      ...this.#request,
      endsAtMs: endOf(this.#token),
      ...(this.#failure === undefined ? {} : { failure: this.#failure })
    }
  }

  get token(): Token | undefined {
    return this.#token
  }

  get #revoked(): boolean {
    return this.#end.signal.aborted
  }

  /** Signs the first token and installs it. Throws when that fails, unless the grant was revoked meanwhile. */
  async install(): Promise<void> {
    try {
      const token = await this.#sign()
      if (!this.#revoked) this.#replace(token)
    } catch (error) {
      if (!this.#revoked) throw error
    }
  }

  /** Renews the grant when that is due. What fails is told and stays in `state`; never throws. */
  async look(): Promise<void> {
    if (this.#token === undefined || this.#revoked) return
    const leftMs = this.#leftMs(this.#token)
    if (leftMs > GRANT_LIFE_MS - GRANT_RENEWAL_MS) return
    if (this.#isRenewing) return
    this.#isRenewing = true
    try {
      const token = await this.#sign()
      if (this.#revoked) return
      this.#replace(token)
      if (this.#failure !== undefined) this.#deps.log.info('dynamic grant renewed again', this.#facts())
      this.#failure = undefined
      this.#alarms = 0
    } catch (error) {
      this.#fail(errorMessage(error))
    } finally {
      this.#isRenewing = false
    }
  }

  revoke(): void {
    if (this.#revoked) return
    this.#end.abort()
    if (this.#token) this.#deps.context.anchors.removeRequire(this.#token)
    this.#onRevoke()
  }

  async #sign(): Promise<Token> {
    const { context, clock } = this.#deps
    using limit = deadline(clock, GRANT_SIGNING_LIMIT_MS, 'signing a grant', this.#end.signal)
    const { subject, audience, capabilities } = this.#request
    const signing = context.grant({
      action: 'delegate',
      subject,
      audience,
      topics: [],
      capabilities,
      expiresAtNs: clock.nowNs() + BigInt(GRANT_LIFE_MS) * 1_000_000n,
      depth: 1n
    })
    return await raceSignal(signing, limit.signal)
  }

  /** The new token first: messages under way are covered by either. */
  #replace(token: Token): void {
    const { anchors } = this.#deps.context
    const added = anchors.addRequire([token])
    if (!added.ok) throw new Error(`a grant signed here was not accepted: ${added.error.message}`)
    if (this.#token) anchors.removeRequire(this.#token)
    this.#token = token
  }

  #fail(reason: string): void {
    if (this.#token === undefined || this.#revoked) return
    this.#failure = reason
    const leftMs = this.#leftMs(this.#token)
    const due = 1 + GRANT_ALARMS_MS.filter(alarmMs => leftMs <= alarmMs).length
    if (due <= this.#alarms) return
    this.#alarms = due
    const { log } = this.#deps
    const facts = { ...this.#facts(), reason }
    if (leftMs <= 0) log.error('dynamic grant has ended and cannot be renewed', facts)
    else if (leftMs <= GRANT_URGENT_MS)
      log.error('dynamic grant ends soon and cannot be renewed', { ...facts, left: formatDuration(leftMs) })
    else log.warn('dynamic grant not renewed', { ...facts, left: formatDuration(leftMs) })
  }

  #leftMs(token: Token): number {
    return endOf(token) - this.#deps.clock.nowMs()
  }

  #facts(): Record<string, unknown> {
    const { capabilities, subject } = this.#request
    return { capabilities, subject, ends: this.#token && isoTime(endOf(this.#token)) }
  }
}

function endOf(token: Token): number {
  return Number(token.expiresAtNs / 1_000_000n)
}
