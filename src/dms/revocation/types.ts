/** Revocations that travel: what is kept, how it is handed on, how old the knowledge is. */

import type { Token } from '../../lib/ucan/index.ts'
import type { Did, Refusal, Result } from '../../types/index.ts'

/** Anchors to be added; all of them are, or none. */
export interface NewAnchors {
  readonly roots?: readonly Did[]
  readonly require?: readonly Token[]
  readonly provide?: readonly Token[]
  readonly revoke?: readonly Token[]
}

/** Changes the anchors of the node so that they outlive it. The daemon implements it over the capability file. */
export interface AnchorKeeper {
  /**
   * Verifies the anchors, writes them to the file under its lock, and then puts them in force. What is there already is
   * no fault. A token that does not hold refuses all, and nothing is changed.
   * @throws what the file system throws; then nothing is in force either.
   */
  add(anchors: NewAnchors): Promise<Result<void>>
  /** Told after anchors were changed by another hand: the file was edited and read again. Returns the way to leave. */
  onChange(listener: () => void): () => void
}

/** A revocation on its way. */
export interface Offer {
  readonly revocation: Token
  /**
   * The token that is revoked, with its chain. Needed where the receiver's anchors do not name the issuer: it shows
   * that the issuer got its power from someone they name.
   */
  readonly proof?: Token | undefined
}

/** What became of some offers. */
export interface OfferReport {
  readonly added: number
  readonly known: number
  /** Why others were not taken. */
  readonly refused: readonly Refusal[]
}

/** A revocation in force, for people. */
export interface KnownRevocation {
  readonly revocation: Token
  readonly learntAtMs: number
  /** A peer, `file`, or the DID of the administrator who brought it. */
  readonly learntFrom: string
}

/** How far the node's knowledge of revocations can be relied on. */
export interface KnowledgeStatus {
  /** Whether a connected peer has answered lately: nothing that others know is missing here. */
  readonly isCurrent: boolean
  /** When the node was last current: now while it is, absent when it never was. */
  readonly knownAsOfMs: number | undefined
  /** How many are in force. */
  readonly count: number
  /** Revocations that were turned away because there is no room for them, since the start. */
  readonly turnedAway: number
}
