/** Makes any value safe to write: JSON-safe, bounded, without secrets. Never throws. */

import { errorCode } from '../utils/index.ts'
import { MAX_FIELD_DEPTH, MAX_FIELD_MEMBERS, MAX_TEXT_LENGTH, REDACTED } from './constants.ts'

/**
 * Names whose value is a secret or carries one, compared without case, `_` and `-`. The second wall: callers
 * must not log these at all.
 */
const SECRET_NAME =
  /(passphrase|password|secret|privatekey|apikey|actorkey|sharedkey|signingkey|tokens?|authorization|envelope|mnemonic|seedphrase|credentials?|cookies?)$/

/** `value` of the field `name`, ready for JSON. `undefined` means: leave the field out. */
export function safeField(name: string, value: unknown, depth = 0): unknown {
  if (value === undefined) return undefined
  if (isSecret(name, value)) return REDACTED
  try {
    return safeValue(value, depth)
  } catch {
    return '[unreadable]' // a getter or toJSON that throws must not cost the line
  }
}

/** A count of tokens is no secret; a text, bytes or an object may be. */
function isSecret(name: string, value: unknown): boolean {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return false
  return SECRET_NAME.test(name.toLowerCase().replace(/[_-]/g, ''))
}

function safeValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return shorten(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'boolean' || value === null) return value
  if (typeof value !== 'object') return shorten(String(value))
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (depth >= MAX_FIELD_DEPTH) return '[too deep]'
  if (value instanceof Error) return errorFields(value, depth)
  if (Array.isArray(value)) return safeList(value, depth)
  if (value instanceof Map) return safeMembers([...value].slice(0, MAX_FIELD_MEMBERS + 1), depth)
  if (value instanceof Set) return safeList([...value], depth)
  if ('toJSON' in value && typeof value.toJSON === 'function') return safeField('', value.toJSON(), depth + 1)
  return safeMembers(Object.entries(value), depth)
}

function safeList(items: readonly unknown[], depth: number): unknown[] {
  const kept = items.slice(0, MAX_FIELD_MEMBERS).map(item => safeField('', item, depth + 1) ?? null)
  return items.length > MAX_FIELD_MEMBERS ? [...kept, `[${items.length - MAX_FIELD_MEMBERS} more]`] : kept
}

function safeMembers(
  members: readonly (readonly [unknown, unknown])[],
  depth: number
): Record<string, unknown> {
  const entries = members.slice(0, MAX_FIELD_MEMBERS).map(([key, value]) => {
    const name = shorten(String(key), 128)
    return [name, safeField(name, value, depth + 1)] as const
  })
  if (members.length > MAX_FIELD_MEMBERS) entries.push(['…', `[${members.length - MAX_FIELD_MEMBERS} more]`])
  return Object.fromEntries(entries)
}

function errorFields(error: Error, depth: number): Record<string, unknown> {
  const code = errorCode(error)
  return {
    name: shorten(error.name, 128),
    message: shorten(error.message),
    ...(code === undefined ? {} : { code }),
    ...(error.cause === undefined ? {} : { cause: safeField('cause', error.cause, depth + 1) })
  }
}

/** Cuts a text and says how much is missing. */
export function shorten(text: string, length: number = MAX_TEXT_LENGTH): string {
  const whole = text.toWellFormed()
  return whole.length <= length
    ? whole
    : `${whole.slice(0, length).toWellFormed()}… (${whole.length - length} more)`
}
