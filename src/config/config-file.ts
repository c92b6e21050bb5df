/** Finds, reads and writes `dms_config.json`. */

import {
  closeSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { dirname, join } from 'node:path'
import { errorCode, fileError } from '../utils/index.ts'
import { ConfigError } from './errors.ts'
import { findKey, isSection, LEGACY_KEYS } from './keys.ts'
import { suggestKey } from './suggest.ts'

/** Name of the configuration file (cli-api-config §5.1). */
export const CONFIG_FILE_NAME = 'dms_config.json'

const MAX_FILE_LENGTH = 2 ** 20
const MAX_DEPTH = 16

/** Reads and writes whole files; the disk, or a memory for tests. Synchronous: commands read it before anything else. */
export interface ConfigFiles {
  /** `undefined` when there is no such file. */
  read(path: string): string | undefined
  /** Replaces the file in one step. */
  write(path: string, text: string): void
}

/** The files of this machine. */
export const diskConfigFiles: ConfigFiles = {
  read(path) {
    try {
      return readFileSync(path, 'utf8')
    } catch (cause) {
      if (errorCode(cause) === 'ENOENT' || errorCode(cause) === 'ENOTDIR') return undefined
      throw wrap('read', path, cause)
    }
  },
  write(path, text) {
    const temporary = `${path}.${process.pid}.tmp.json`
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
      writeDurably(temporary, text, modeOf(path))
      renameSync(temporary, path)
    } catch (cause) {
      rmSync(temporary, { force: true })
      throw wrap('write', path, cause)
    }
  }
}

function writeDurably(path: string, text: string, mode: number): void {
  const descriptor = openSync(path, 'wx', mode)
  try {
    writeFileSync(descriptor, text)
    fchmodSync(descriptor, mode)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** A file that exists keeps its mode; a new one is private, for it may hold API keys. */
function modeOf(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.mode ?? 0o600) & 0o777
}

function wrap(action: string, path: string, cause: unknown): ConfigError {
  const { message, hint } = fileError(action, path, cause)
  return new ConfigError('CONFIG_FILE', message, { cause, ...(hint === undefined ? {} : { hint }) })
}

/** Places a configuration file is looked for, in order; the first one found is used, nothing is merged. */
export function searchPaths(at: {
  cwd: string
  homeDirectory: string
  configHome: string | undefined
}): string[] {
  return [
    at.cwd,
    join(at.homeDirectory, '.nunet'),
    join(at.configHome ?? join(at.homeDirectory, '.config'), 'nunet'),
    '/etc/nunet'
  ].map(directory => join(directory, CONFIG_FILE_NAME))
}

/** Values of a file by dotted key, in lower case; not checked yet. Legacy keys are still among them. */
export function parseConfigText(text: string, path: string): Map<string, unknown> {
  if (text.length > MAX_FILE_LENGTH) {
    throw new ConfigError('CONFIG_SYNTAX', `'${path}' is longer than ${MAX_FILE_LENGTH} characters`)
  }
  const values = new Map<string, unknown>()
  flatten(parseJson(text, path), '', { path, values }, 0)
  return values
}

function parseJson(text: string, path: string): object {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (cause) {
    throw new ConfigError('CONFIG_SYNTAX', `'${path}' is not valid JSON: ${reasonOf(cause)}`, {
      cause,
      hint: 'correct it with an editor; comments and trailing commas are not allowed'
    })
  }
  if (isObject(value)) return value
  throw new ConfigError('CONFIG_SYNTAX', `'${path}' must hold a JSON object`)
}

/** The parser's message on one line, without the piece of text some versions quote. */
function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  return message
    .replace(/\s+/g, ' ')
    .replace(/, (?:\.\.\.)?".*$/, '')
    .toLowerCase()
}

function flatten(
  object: object,
  prefix: string,
  into: { path: string; values: Map<string, unknown> },
  depth: number
): void {
  for (const [name, value] of Object.entries(object)) {
    const key = `${prefix}${name}`.toLowerCase()
    if (findKey(key) || LEGACY_KEYS.has(key)) {
      if (value !== null) into.values.set(key, value) // null means: not set
    } else if (isObject(value) && isSection(key) && depth < MAX_DEPTH) {
      flatten(value, `${key}.`, into, depth + 1)
    } else {
      throw unknownKey(key, `'${into.path}'`)
    }
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The error for a key that does not exist, with the one that was probably meant. */
export function unknownKey(key: string, source?: string): ConfigError {
  const shown = key.slice(0, 100)
  const near = suggestKey(key)
  const text = source === undefined ? `key "${shown}" not found` : `unknown key '${shown}' in ${source}`
  return new ConfigError(
    'CONFIG_KEY_UNKNOWN',
    near === undefined ? text : `${text}, did you mean '${near}'?`,
    {
      hint: near === undefined ? 'see docs/config.md for all keys' : `write '${near}'`,
      details: { key: shown, ...(near === undefined ? {} : { suggestion: near }) }
    }
  )
}
