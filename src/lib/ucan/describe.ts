/** Words for refusals. Text that comes from tokens is escaped and cut, so that it is safe in a terminal and short. */

import type { Did, Refusal } from '../../types/index.ts'
import { isoTime, refusal } from '../../utils/index.ts'
import { chainOf } from './chain.ts'
import type { Capability, Token } from './types.ts'

const MAX_SHOWN_NAMES = 8
const MAX_SHOWN_LENGTH = 120

/** `did:key:z6MkhaXg…2doK`: enough to recognise; the whole DID is in the details. */
export function shortDid(did: Did | undefined): string {
  if (did === undefined) return 'anyone'
  return did.length <= 32 ? did : `${did.slice(0, 16)}…${did.slice(-6)}`
}

/** `'/a', '/b'`, or `nothing`. */
export function listed(names: readonly Capability[] | null): string {
  if (names === null || names.length === 0) return 'nothing'
  const shown = names.slice(0, MAX_SHOWN_NAMES).map(quoted).join(', ')
  return names.length > MAX_SHOWN_NAMES ? `${shown} and ${names.length - MAX_SHOWN_NAMES} more` : shown
}

export function quoted(text: string): string {
  // Control and direction characters could forge lines or reorder them on a terminal.
  const safe = JSON.stringify(text.slice(0, MAX_SHOWN_LENGTH)).slice(1, -1)
  return `'${safe.replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, escapeUnit)}'`
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** `2026-01-01T00:00:00.000Z`; times beyond the calendar as nanoseconds. */
export function timeOf(ns: bigint): string {
  const ms = ns / 1_000_000n
  return ms <= 8_640_000_000_000_000n ? isoTime(Number(ms)) : `${ns} ns`
}

/** `token 1 of 3 (did:key:… → did:key:…)`, counted from the leaf. */
export function nameOf(leaf: Token, position: number): string {
  const chain = chainOf(leaf)
  const [token = leaf] = chain.slice(position)
  const parties = `${shortDid(token.issuer)} → ${shortDid(token.subject)}`
  return chain.length === 1 ? `token (${parties})` : `token ${position + 1} of ${chain.length} (${parties})`
}

/** A refusal that points at one token of a chain. */
export function tokenRefusal(
  code: string,
  leaf: Token,
  position: number,
  reason: string,
  details: Refusal['details'] = {}
): Refusal {
  const [token = leaf] = chainOf(leaf).slice(position)
  return refusal(code, `${nameOf(leaf, position)} ${reason}`, {
    details: { position, issuer: token.issuer, subject: token.subject, action: token.action, ...details }
  })
}
