/** Words for tokens on a terminal. Names and DIDs come from files and tokens of others: they are escaped, and cut. */

import type { Capability } from '../../lib/ucan/index.ts'
import type { Did } from '../../types/index.ts'
import { isoTime } from '../../utils/index.ts'
import { oneLine } from '../cli/printable.ts'
import { formatAge } from '../cli/table.ts'

/** Names listed one by one, and characters shown of each. */
const MAX_SHOWN_NAMES = 8
const MAX_SHOWN_LENGTH = 120

/** `did:key:z6MkhaXg…2doK`: enough to recognise. The whole DID is in the commands and in the JSON form. */
export function shortDid(did: Did): string {
  return oneLine(did.length <= 32 ? did : `${did.slice(0, 16)}…${did.slice(-6)}`)
}

/** `'/a', '/b'`, or `nothing`. */
export function listNames(names: readonly Capability[] | null): string {
  if (names === null || names.length === 0) return 'nothing'
  const shown = names.slice(0, MAX_SHOWN_NAMES).map(quoteName).join(', ')
  return names.length > MAX_SHOWN_NAMES ? `${shown} and ${names.length - MAX_SHOWN_NAMES} more` : shown
}

/** A name in quotes, safe for a terminal. */
export function quoteName(name: Capability): string {
  return `'${cutName(name)}'`
}

/** A name without quotes, safe for a terminal. */
export function cutName(name: Capability): string {
  return oneLine(name.length <= MAX_SHOWN_LENGTH ? name : `${name.slice(0, MAX_SHOWN_LENGTH)}…`)
}

/** The last millisecond of the calendar (ECMA-262, time values). */
const CALENDAR_END_MS = 8_640_000_000_000_000n

/** `2026-12-31 18:00 UTC`; beyond the calendar the nanoseconds. */
export function showTime(ns: bigint): string {
  const ms = ns / 1_000_000n
  return ms > CALENDAR_END_MS ? `${ns} ns` : `${isoTime(Number(ms)).slice(0, -8).replace('T', ' ')} UTC`
}

/** `in 30d`, `3h ago`. */
export function showDistance(ns: bigint, nowNs: bigint): string {
  const ms = Number((ns - nowNs) / 1_000_000n)
  return ms < 0 ? `${formatAge(-ms)} ago` : `in ${formatAge(ms)}`
}

/** A word of a shell command, in single quotes where it needs them (POSIX.1-2024, Shell, §2.2.2). */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** Commas separate the names of a flag; quotes protect them. */
export function listWord(name: string): string {
  return shellWord(/[,"]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name)
}

/** `acme (did:key:z6MkhaXg…2doK)` when it is an identity of this machine, else the whole DID. */
export function partyName(did: Did, names: ReadonlyMap<Did, string>): string {
  const name = names.get(did)
  return name === undefined ? oneLine(did) : `${oneLine(name)} (${shortDid(did)})`
}
