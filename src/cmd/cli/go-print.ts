/** JSON as the existing CLI prints it: Go's `MarshalIndent` with HTML escaping, members in the order received, integers exact. */

import { type GoJsonValue, goJsonString, parseGoJson } from '../../utils/index.ts'

/** A message is at most 1 MiB (identity-and-actors §10.1); text in it is never longer. */
const LIMITS = { maxLength: 1_100_000, maxDepth: 128 }

/** Reads JSON bytes of a message. No bytes at all stand for `null`, as a message without payload has none. */
export function readGoJson(bytes: Uint8Array): GoJsonValue {
  return bytes.length === 0 ? null : parseGoJson(new TextDecoder().decode(bytes), LIMITS)
}

/** Prints a value, one line for each member, with `indent` spaces a level; 0 prints one compact line. */
export function printGoJson(value: GoJsonValue, indent = 2): string {
  return print(value, indent, '')
}

function print(value: GoJsonValue, indent: number, margin: string): string {
  if (typeof value === 'string') return goJsonString(value)
  if (value === null || typeof value !== 'object') return String(value)
  const inner = margin + ' '.repeat(indent)
  const colon = indent > 0 ? ': ' : ':'
  if (Array.isArray(value))
    return block(
      '[',
      ']',
      value.map(item => print(item, indent, inner)),
      indent,
      margin
    )
  const members = [...value].map(
    ([name, member]) => `${goJsonString(name)}${colon}${print(member, indent, inner)}`
  )
  return block('{', '}', members, indent, margin)
}

function block(
  open: string,
  close: string,
  items: readonly string[],
  indent: number,
  margin: string
): string {
  if (items.length === 0) return open + close
  if (indent === 0) return `${open}${items.join(',')}${close}`
  const inner = `\n${margin}${' '.repeat(indent)}`
  return `${open}${inner}${items.join(`,${inner}`)}\n${margin}${close}`
}

/** A plain JavaScript value as Go would print it. */
export function printPlain(value: unknown, indent = 2): string {
  return printGoJson(toGoJson(value), indent)
}

/** Plain data to exact JSON; `undefined` members are left out. */
export function toGoJson(value: unknown): GoJsonValue {
  if (value === null || value === undefined) return null
  if (
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    typeof value === 'number' ||
    typeof value === 'bigint'
  )
    return value
  if (Array.isArray(value)) return value.map(toGoJson)
  if (value instanceof Map)
    return new Map([...value].map(([name, member]) => [String(name), toGoJson(member)]))
  return new Map(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, toGoJson(member)])
  )
}

/** Exact JSON to plain data: integers beyond 2^53 lose digits, which no field the human commands read has. */
export function toPlain(value: GoJsonValue): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(toPlain)
  return Object.fromEntries([...value].map(([name, member]) => [name, toPlain(member)]))
}
