/** Durations and times as Go users type them. */

import { SyntaxFault } from './error.ts'

const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
  d: 86_400e9
}

/**
 * Reads a Go duration (`1h30m`, `500ms`, `1.5s`), plus `d` for days, to milliseconds.
 * @throws SyntaxFault for anything else, a bare number included.
 */
export function parseDurationMs(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1
  const body = text.replace(/^[+-]/, '')
  if (body === '0') return 0
  const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)/y
  let totalNs = 0
  let at = 0
  while (at < body.length) {
    part.lastIndex = at
    const match = part.exec(body)
    if (match === null) throw invalidDuration(text)
    totalNs += Number(match[1]) * (UNIT_NS[match[2] ?? ''] ?? Number.NaN)
    at = part.lastIndex
  }
  if (body === '' || !Number.isFinite(totalNs)) throw invalidDuration(text)
  return (sign * totalNs) / 1e6
}

function invalidDuration(text: string): SyntaxFault {
  return new SyntaxFault(`'${text}' is not a duration`, {
    hint: "write a number with a unit, for example '90s', '1h30m' or '7d'"
  })
}

/**
 * Reads a point in time: RFC 3339, `YYYY-MM-DD HH:MM:SS` or `YYYY-MM-DD` (both UTC), to milliseconds since the epoch.
 * @throws SyntaxFault for anything else, impossible dates included.
 */
export function parseTimeMs(text: string): number {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(
    text.trim()
  )
  const ms = match ? Date.parse(`${match[1]}T${match[2] ?? '00:00:00'}${match[3] ?? 'Z'}`) : Number.NaN
  if (match === null || Number.isNaN(ms) || !isRealDate(match[1] ?? '')) {
    throw new SyntaxFault(`'${text}' is not a date or time`, {
      hint: "write '2027-12-31' or '2027-12-31T12:00:00Z'"
    })
  }
  return ms
}

/** `Date.parse` rolls 30 February over to March; a user who typed it made a mistake. */
function isRealDate(day: string): boolean {
  const parsed = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(parsed) && isoTime(parsed).startsWith(day)
}

/** RFC 3339 in UTC with milliseconds. */
export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString()
}

/** A short human form: `850 ms`, `2.1 s`, `3 m 20 s`, `2 h 5 m`. */
export function formatDuration(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`
  if (Math.round(ms / 100) < 600) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} m`
}
