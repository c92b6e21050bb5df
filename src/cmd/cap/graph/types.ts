/** Who can do what to whom, as `cap graph` shows it. */

import type { Capability } from '../../../lib/ucan/index.ts'
import type { Did } from '../../../types/index.ts'

/**
 * What a party is to the contexts that are shown; the first that holds decides its colour. `organisation`: a require anchor
 * names it and lets it pass that on, or a chain starts with it elsewhere; `root`: a root anchor names it; `self`: its context is on this machine.
 */
export type Role = 'organisation' | 'root' | 'self' | 'member'

/** A party. */
export interface GraphNode {
  readonly did: Did
  /** Name of its context on this machine. */
  readonly name: string | undefined
  readonly role: Role
}

/**
 * `grant`: a delegation; `accept`: the owner of a context takes what `to` delegates, within limits (require anchor);
 * `root`: the same without limits.
 */
export type EdgeKind = 'grant' | 'accept' | 'root'

/** Whether it counts now. */
export type EdgeState = 'valid' | 'expired' | 'revoked'

/** Something one party lets another do. */
export interface GraphEdge {
  readonly kind: EdgeKind
  readonly from: Did
  readonly to: Did
  readonly capabilities: readonly Capability[]
  readonly topics: readonly Capability[]
  /** On whom it may be used; anyone when `undefined`. */
  readonly audience: Did | undefined
  /** Unix nanoseconds; the earliest end in its chain. `undefined` for a root anchor, which has no end. */
  readonly expiresAtNs: bigint | undefined
  readonly depth: bigint
  readonly state: EdgeState
  /** Names of the contexts in which it was found, sorted. */
  readonly contexts: readonly string[]
}

/** The whole picture. Nodes and edges come in a stable order. */
export interface Graph {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  /** What the limits left out. */
  readonly leftOut: { readonly nodes: number; readonly edges: number }
  readonly nowNs: bigint
}
