/** How a log entry becomes one line: JSON for files and programs, a short form for people. */

import type { LogLevel } from '../types/index.ts'
import { isoTime } from '../utils/index.ts'
import { MAX_LINE_LENGTH } from './constants.ts'
import { shorten } from './fields.ts'

/** One line before it is text. The fields are already safe (`safeField`). */
export interface Entry {
  readonly atMs: number
  readonly level: LogLevel
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Names of the line itself, as readers of the existing logs expect them (services §2.2). */
const OWN_NAMES: ReadonlySet<string> = new Set(['timestamp', 'level', 'msg'])

/**
 * What `JSON.stringify` leaves as it is although a terminal or an editor acts on it: DEL, C1 controls, line and
 * paragraph separators, direction overrides and the byte order mark. In JSON they only occur inside strings.
 */
const ACTIVE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

function escapeActive(text: string): string {
  return text.replace(ACTIVE, found => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** One JSON object without a line break. Members in the order time, level, message, fields. */
export function formatJson(entry: Entry): string {
  const head = JSON.stringify({
    timestamp: isoTime(entry.atMs),
    level: entry.level.toUpperCase(),
    msg: shorten(entry.message)
  })
  let line = escapeActive(head.slice(0, -1))
  let left = 0
  for (const [name, value] of Object.entries(entry.fields)) {
    if (value === undefined) continue
    const key = OWN_NAMES.has(name) ? `${name}_` : name
    const member = escapeActive(`,${JSON.stringify(key)}:${JSON.stringify(value)}`)
    if (line.length + member.length > MAX_LINE_LENGTH) left++
    else line += member
  }
  return `${line}${left > 0 ? `,"fields_left_out":${left}` : ''}}`
}

const COLOURS: Readonly<Record<LogLevel, number>> = { error: 31, warn: 33, info: 36, debug: 90 }

/** `12:03:04.567 WARN  message  name=value other="two words"`, for a terminal. */
export function formatPretty(entry: Entry, colour: boolean): string {
  const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)
  const fields = Object.entries(entry.fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${paint(90, `${plain(name)}=`)}${plain(value)}`)
  const time = paint(90, isoTime(entry.atMs).slice(11, 23))
  const level = paint(COLOURS[entry.level], entry.level.toUpperCase().padEnd(5))
  const line = `${time} ${level} ${printable(shorten(entry.message))}${fields.length > 0 ? ' ' : ''}${fields.join('')}`
  return line.length > MAX_LINE_LENGTH
    ? `${line.slice(0, MAX_LINE_LENGTH)}…${colour ? '\u001b[0m' : ''}`
    : line
}

/** A value without quotes when it is one plain word. */
function plain(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@+-]+$/.test(value)) return value
  return escapeActive(JSON.stringify(value) ?? '')
}

/** The message, with everything a terminal would act on made visible. */
function printable(text: string): string {
  return escapeActive(JSON.stringify(text).slice(1, -1)).replaceAll('\\"', '"').replaceAll('\\\\', '\\')
}
