/** What `cap why` works with: a question, the anchors of both sides, the ways to a yes and what each of them lacks. */

import type { Capability, Token } from '../../../lib/ucan/index.ts'
import type { Did, Refusal } from '../../../types/index.ts'

/** May `sender` send this message to `receiver`? With a topic it is a broadcast that the receiver hears. */
export interface Question {
  readonly sender: Did
  readonly receiver: Did
  readonly behavior: Capability
  readonly topic: Capability | undefined
  readonly nowNs: bigint
  /** When the message would end, Unix nanoseconds: all that backs it must last as long. */
  readonly expiresAtNs: bigint
}

/** What one side trusts and holds. Tokens are those whose signatures are good, the expired and revoked ones included. */
export interface Holdings {
  readonly owner: Did
  readonly roots: ReadonlySet<Did>
  /** By subject. */
  readonly require: ReadonlyMap<Did, readonly Token[]>
  readonly provide: readonly Token[]
  /** Whether this side knows that this very token was revoked. */
  isRevoked(token: Token): boolean
}

/** The rules a token can break for a question (identity-and-actors §6.1, §7.3). */
export type Rule = 'expired' | 'revoked' | 'capability' | 'topic' | 'audience' | 'depth'

/** One token that breaks one rule. */
export interface Fault {
  readonly rule: Rule
  /** In words, to stand behind the token: `covers '/public', not '/dms/deployment'`. */
  readonly text: string
}

/** One token of a chain with what is wrong with it. */
export interface Link {
  readonly token: Token
  readonly faults: readonly Fault[]
}

/** How the receiver takes a chain. */
export type Admission =
  /** An issuer of the chain is the receiver itself, or a root there. */
  | { readonly by: 'owner' | 'root'; readonly did: Did }
  /** A require anchor there names an issuer of the chain. With faults it does not cover the message. */
  | { readonly by: 'require'; readonly did: Did; readonly anchor: Link }
  /** Nothing there names an issuer of the chain. */
  | { readonly by: 'nothing' }
  /** What the receiver trusts is not known here. */
  | { readonly by: 'unknown' }

/** One way in which the message could be allowed, and what it lacks. */
export interface Route {
  /**
   * `chain`: on a delegation that the sender holds; `own`: on the sender's own word; `missing`: on a grant that somebody
   * trusted at the receiver would have to give first.
   */
  readonly kind: 'chain' | 'own' | 'missing'
  /** The delegations, newest first; empty but for `chain`. */
  readonly links: readonly Link[]
  /** Who would have to give the grant, for `missing`. */
  readonly grantor: Did | undefined
  readonly admission: Admission
}

/** Something to be done: a token to be made by one person and to be anchored by another or the same. */
export interface Step {
  readonly why: string
  /** Makes the token. `auto` takes the expiry of the delegation it is chained on. */
  readonly issue: {
    readonly form: 'grant' | 'delegate'
    readonly issuer: Did
    readonly subject: Did
    readonly capability: Capability
    readonly topic: Capability | undefined
    readonly audience: Did | undefined
    readonly duration: string | 'auto'
    /** The delegation to chain on, when the issuer's context is here and does not hold it. */
    readonly holdFirst: Token | undefined
  }
  readonly anchor: { readonly as: 'provide' | 'require'; readonly owner: Did }
}

/** The answer. */
export interface Explanation {
  readonly question: Question
  /** `unknown`: it depends on anchors of the receiver, which are not known here. */
  readonly verdict: 'allowed' | 'refused' | 'unknown'
  /** Whether the receiver's anchors are on this machine, so that the verdict is its own. */
  readonly isReceiverKnown: boolean
  /** The way that allows it, or the nearest one. */
  readonly route: Route
  /** What would turn the answer into a yes, in order; for `unknown`, what the receiver's owner may have done already. */
  readonly steps: readonly Step[]
  /** When those need people who are not here: steps of another way that needs only identities of this machine. */
  readonly shortcut: readonly Step[]
  /** True when the nearest way lacks nothing, but no room is left for it in the message. */
  readonly isCrowdedOut: boolean
  /** Other delegations that would be presented as well. */
  readonly others: number
  /** What the receiver would say, when it is known and says no. */
  readonly refusal: Refusal | undefined
}
