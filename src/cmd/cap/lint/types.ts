/** What `cap lint` looks at and finds. How it judges: decision 0012. */

import type { CapabilityFile, Token } from '../../../lib/ucan/index.ts'
import type { Did, Result } from '../../../types/index.ts'

/**
 * `error`: something does not work or soon will not, or somebody has more power than can be meant; `warning`: should be
 * looked at; `info`: could be tidier.
 */
export type Severity = 'error' | 'warning' | 'info'

/** What kind of finding it is. */
export type LintCode =
  /** Lets a stranger give itself everything. */
  | 'gives-control'
  /** Lets a stranger do what is the owner's to do. */
  | 'gives-owner-rights'
  /** A root anchor that is no identity of this machine. */
  | 'foreign-root'
  /** Every topic at once. */
  | 'wide-topic'
  /** May be passed on without limit. */
  | 'no-depth'
  /** Could be limited to this node and is not. */
  | 'no-audience'
  /** Lasts longer than anybody can foresee. */
  | 'long-lived'
  /** Has ended. */
  | 'expired'
  /** Was taken back by its issuer. */
  | 'revoked'
  /** Does not verify. */
  | 'invalid'
  /** Cannot even be read. */
  | 'unreadable'
  /** Was given to somebody else. */
  | 'not-for-owner'
  /** A depth in its chain leaves no step for using it. */
  | 'used-up'
  /** May be used on its own holder only. */
  | 'only-for-oneself'
  /** Gives no capability, whatever its topics. */
  | 'no-capability'
  /** Would be for broadcasts, and has no topic. */
  | 'no-topic'
  /** Nobody here trusts whoever it comes from. */
  | 'unknown-origin'
  /** A root anchor without effect. */
  | 'idle-root'
  /** Ends soon. */
  | 'ends-soon'
  /** Another anchor allows all of it. */
  | 'shadowed'

export type ListName = 'roots' | 'require' | 'provide' | 'revoke'

/** One thing to look at. */
export interface Finding {
  readonly code: LintCode
  readonly severity: Severity
  readonly context: string
  readonly list: ListName
  /** The anchor: the id of a token, the DID of a root; absent for what cannot be read. */
  readonly anchor: string | undefined
  readonly what: string
  readonly why: string
  /** The command that mends it, and who has to run it: `undefined` is whoever runs this. */
  readonly mend: { readonly command: string; readonly by: Did | undefined }
}

/** From when on something is told. Durations in nanoseconds. */
export interface Limits {
  readonly warnNs: bigint
  readonly errorNs: bigint
  readonly maxLifeNs: bigint
}

/** A token of a list with its verdict now. */
export interface Entry {
  readonly list: 'require' | 'provide'
  readonly token: Token
  readonly verdict: Result<void>
  /** Verifies, and is one its list can use. */
  readonly isLive: boolean
}

/** One context with all that is needed to judge it. */
export interface Chart {
  readonly name: string
  readonly file: CapabilityFile
  readonly entries: readonly Entry[]
  /** Revocations that do not verify. */
  readonly badRevocations: readonly { readonly token: Token; readonly verdict: Result<void> }[]
  readonly nowNs: bigint
  readonly limits: Limits
  /** Names of the identities of this machine. */
  readonly names: ReadonlyMap<Did, string>
  /** Everyone whom some context of this machine trusts, or who owns one. */
  readonly trusted: ReadonlySet<Did>
  /** Whether the key of a DID can be had. */
  hasKey(did: Did): boolean
}
