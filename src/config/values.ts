/** Reads and checks one value: from a file (already typed) or from text (flag, environment, `config set`). */

import { resolve } from 'node:path'
import { ConfigError } from './errors.ts'
import type { ConfigKey, ConfigType } from './key.ts'

/** Where a value comes from, for messages and for relative paths. */
export interface ValueContext {
  /** For example `'/home/me/.nunet/dms_config.json'` or `environment variable 'DMS_REST_PORT'`. */
  readonly source: string
  readonly homeDirectory: string
  /** Relative paths start here. */
  readonly cwd: string
}

const EXPECTED: Readonly<Record<ConfigType, string>> = {
  string: 'a text',
  path: 'a path',
  url: 'an http or https address without user, query and fragment, or nothing',
  integer: 'a whole number',
  boolean: 'true or false',
  list: 'a list of texts',
  any: 'a value'
}

const MAX_LIST_ITEMS = 1024

/** Go's boolean literals (strconv.ParseBool), which the existing system takes. */
const TRUE_WORDS: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const FALSE_WORDS: ReadonlySet<string> = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False'])

/** The value of a JSON file for this key. @throws ConfigError `CONFIG_VALUE_INVALID` */
export function checkValue(row: ConfigKey, value: unknown, context: ValueContext): unknown {
  switch (row.type) {
    case 'string':
      return typeof value === 'string' ? checkChoice(row, value, context) : fail(row, value, context)
    case 'path':
      return typeof value === 'string' ? expandPath(value, context) : fail(row, value, context)
    case 'url':
      return typeof value === 'string' && (value === '' || isBaseUrl(value))
        ? value
        : fail(row, value, context)
    case 'integer':
      return Number.isSafeInteger(value)
        ? checkBounds(row, Number(value), context)
        : fail(row, value, context)
    case 'boolean':
      return typeof value === 'boolean' ? value : fail(row, value, context)
    case 'list':
      return isTextList(value) ? [...value] : fail(row, value, context)
    case 'any':
      return value
  }
}

/** The value of a text for this key. @throws ConfigError `CONFIG_VALUE_INVALID` */
export function parseValue(row: ConfigKey, text: string, context: ValueContext): unknown {
  return checkValue(row, parseText(row, text), context)
}

/** The text as the key's type would have it in a file; left as text where it cannot be that. */
function parseText(row: ConfigKey, text: string): unknown {
  const trimmed = text.trim()
  switch (row.type) {
    case 'integer':
      return /^[+-]?\d{1,16}$/.test(trimmed) ? Number(trimmed) : text
    case 'boolean':
      return TRUE_WORDS.has(trimmed) ? true : FALSE_WORDS.has(trimmed) ? false : text
    case 'list':
      return trimmed.startsWith('[') ? parseJson(trimmed) : splitList(trimmed)
    case 'any':
      return parseJson(trimmed)
    default:
      return text
  }
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function isTextList(value: unknown): value is string[] {
  return (
    Array.isArray(value) && value.length <= MAX_LIST_ITEMS && value.every(item => typeof item === 'string')
  )
}

/** Whether paths can be put behind the text. A user in it would be sent along, and a query would swallow the path. */
function isBaseUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) return false
  return url.username === '' && url.password === '' && !/[?#\s]/.test(text)
}

function checkChoice(row: ConfigKey, value: string, context: ValueContext): string {
  const { choices } = row
  return choices === undefined || choices.includes(value.toLowerCase()) ? value : fail(row, value, context)
}

function checkBounds(row: ConfigKey, value: number, context: ValueContext): number {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = row
  return value >= minimum && value <= maximum ? value : fail(row, value, context)
}

/** `~` and `~/x` are the home directory; other relative paths start at the working directory. */
function expandPath(path: string, { homeDirectory, cwd }: ValueContext): string {
  if (path === '' || path === '-') return path
  if (path === '~') return homeDirectory
  return path.startsWith('~/') ? resolve(homeDirectory, path.slice(2)) : resolve(cwd, path)
}

/** What the key takes, in words, for messages and the documentation. */
export function expectedOf({ type, choices, minimum, maximum }: ConfigKey): string {
  if (choices) return `one of ${choices.join(', ')}`
  if (minimum !== undefined && maximum !== undefined) return `${EXPECTED[type]} from ${minimum} to ${maximum}`
  if (minimum !== undefined) return `${EXPECTED[type]} from ${minimum}`
  return EXPECTED[type]
}

function fail(row: ConfigKey, value: unknown, { source }: ValueContext): never {
  const shown = row.secret ? '[redacted]' : (JSON.stringify(value) ?? String(value)).slice(0, 120)
  throw new ConfigError(
    'CONFIG_VALUE_INVALID',
    `${row.key} in ${source} is ${shown}, expected ${expectedOf(row)}`,
    {
      hint: `change it with 'nunet config set ${row.key} <value>'`,
      details: { key: row.key, source }
    }
  )
}
