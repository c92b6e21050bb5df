import type { Token } from '../../lib/ucan/index.ts'
import type { Did } from '../../types/index.ts'

/** What a token is for: our own powers elsewhere, or those of others here. */
export type AnchorRole = 'provide' | 'require'

/** Anchors somebody put there, as opposed to dynamic grants. Tokens that have ended may be among them. */
export interface StaticAnchors {
  readonly roots: readonly Did[]
  readonly provide: readonly Token[]
  readonly require: readonly Token[]
}

/** A token whose end takes something away: no other one that lives longer gives the same. */
export interface Ending {
  readonly role: AnchorRole
  readonly token: Token
  /** Wall clock, milliseconds. The token is good up to and including that time. */
  readonly endsAtMs: number
}

/** How it stands with what a node may do and lets others do. */
export type HealthStatus = 'healthy' | 'expiring' | 'expired'

/** One step of a renewal: who types what. */
export interface RenewalStep {
  readonly by: Did
  readonly command: string
}

/** Something that ends soon or has ended. */
export interface HealthIssue {
  readonly kind: AnchorRole | 'grant'
  readonly status: Exclude<HealthStatus, 'healthy'>
  readonly endsAtMs: number
  readonly subject: Did
  readonly capabilities: readonly string[]
  readonly topics: readonly string[]
  /** What stops working, one line. */
  readonly effect: string
  /** In their order; empty where the node itself goes on trying. */
  readonly renewal: readonly RenewalStep[]
  /** Why the node could not renew it by itself. */
  readonly failure?: string
}

/** The whole, worst first. */
export interface CapabilityHealth {
  readonly status: HealthStatus
  /** When the first of the tokens that matter ends; absent where there is none. */
  readonly untilMs?: number
  readonly issues: readonly HealthIssue[]
}
