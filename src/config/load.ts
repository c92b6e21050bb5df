/** Puts the configuration together: defaults, then the file, then the environment, then flags. */

import { type ConfigFiles, diskConfigFiles, parseConfigText, searchPaths, unknownKey } from './config-file.ts'
import type { Environment } from './environment.ts'
import { ConfigError } from './errors.ts'
import type { ConfigKey } from './key.ts'
import { findKey, isSection, KEYS, LEGACY_KEYS } from './keys.ts'
import { Secret } from './secret.ts'
import { suggestVariable } from './suggest.ts'
import type { Config } from './types.ts'
import { checkValue, parseValue, type ValueContext } from './values.ts'

/** Values of the global flags by name without dashes, for example `{ 'rest-port': '10000' }`; `config` names the file. */
export type ConfigFlags = Readonly<Record<string, string | number | boolean | undefined>>

/** Where the configuration comes from. */
export interface ConfigSources {
  readonly env: Pick<Environment, 'settings' | 'configHome'>
  readonly cwd: string
  readonly homeDirectory: string
  readonly flags?: ConfigFlags
  /** Default: the disk. */
  readonly files?: ConfigFiles
}

/** What decided a value. */
export type ConfigOrigin = 'default' | 'file' | 'environment' | 'flag'

/** The configuration in effect and how it came about. */
export interface LoadedConfig {
  readonly config: Config
  /** Values of the secret keys that are set, by dotted key. In `config` they read `[redacted]`. */
  readonly secrets: ReadonlyMap<string, Secret>
  /** The file in use, if there is one. */
  readonly path: string | undefined
  /** Every place that was looked at. */
  readonly searched: readonly string[]
  /** By dotted key. */
  readonly origins: ReadonlyMap<string, ConfigOrigin>
  /** Old flat keys found in the file. They are understood; `config set` replaces them. */
  readonly legacyKeys: readonly string[]
  /** What looks like a mistake but does no harm, one line each. */
  readonly warnings: readonly string[]
}

/**
 * Loads and checks the configuration.
 * @throws ConfigError `CONFIG_FILE`, `CONFIG_SYNTAX`, `CONFIG_KEY_UNKNOWN` or `CONFIG_VALUE_INVALID`
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const searched = placesOf(sources)
  const file = findFile(sources, searched)
  const { values, legacyKeys } = file === undefined ? NO_FILE : readFileValues(sources, file)
  const chosen = new Map<string, { value: unknown; origin: ConfigOrigin }>()
  for (const [name, value] of values) chosen.set(name, { value, origin: 'file' })
  for (const [name, value] of environmentValues(sources)) chosen.set(name, { value, origin: 'environment' })
  for (const [name, value] of flagValues(sources)) chosen.set(name, { value, origin: 'flag' })
  const complete = withDefaults(sources, name => chosen.get(name)?.value)
  checkTogether(complete)
  return {
    config: toConfig(complete),
    secrets: secretsOf(complete),
    path: file?.path,
    searched,
    origins: new Map(KEYS.map(row => [row.key, chosen.get(row.key)?.origin ?? 'default'])),
    legacyKeys,
    warnings: unknownVariables(sources)
  }
}

/** A value by dotted key, or a whole section; without a key the whole configuration. @throws ConfigError `CONFIG_KEY_UNKNOWN` */
export function getConfigValue(loaded: LoadedConfig, name?: string): unknown {
  if (name === undefined) return loaded.config
  const wanted = name.toLowerCase()
  const current = LEGACY_KEYS.get(wanted)?.key ?? wanted
  if (!findKey(current) && !isSection(current)) throw unknownKey(name)
  let at: unknown = loaded.config
  for (const part of current.split('.'))
    at = Object.entries(at ?? {}).find(([member]) => member === part)?.[1]
  return at
}

interface FoundFile {
  readonly path: string
  readonly text: string
}

interface FileValues {
  readonly values: ReadonlyMap<string, unknown>
  readonly legacyKeys: readonly string[]
}

const NO_FILE: FileValues = { values: new Map(), legacyKeys: [] }

/** `--config` replaces the search. */
export function placesOf(sources: ConfigSources): string[] {
  const path = sources.flags?.['config']
  if (path === undefined || path === '')
    return searchPaths({ ...sources, configHome: sources.env.configHome })
  return [expandConfigPath(String(path), sources)]
}

function expandConfigPath(path: string, sources: ConfigSources): string {
  const row = findKey('general.user_dir') // any row of type `path` reads a path the same way
  return row === undefined ? path : String(parseValue(row, path, contextOf(sources, "flag '--config'")))
}

export function findFile(sources: ConfigSources, places: readonly string[]): FoundFile | undefined {
  const files = sources.files ?? diskConfigFiles
  for (const path of places) {
    const text = files.read(path)
    if (text !== undefined) return { path, text }
  }
  if (!sources.flags?.['config']) return undefined
  throw new ConfigError('CONFIG_FILE', `there is no configuration file '${places[0]}'`, {
    hint: "check the path given with '--config', or leave the flag out to use the usual places",
    details: { path: places[0] }
  })
}

/** Checked values of a file; legacy keys moved to where they belong now. */
export function readFileValues(sources: ConfigSources, file: FoundFile): FileValues {
  const raw = parseConfigText(file.text, file.path)
  const values = new Map<string, unknown>()
  const context = contextOf(sources, `'${file.path}'`)
  for (const [name, value] of raw) {
    const row = findKey(name)
    if (row) values.set(name, checkValue(row, value, context))
  }
  const legacyKeys = [...raw.keys()].filter(name => LEGACY_KEYS.has(name))
  for (const name of legacyKeys) {
    const now = LEGACY_KEYS.get(name)
    const row = now && findKey(now.key)
    if (!row || (values.has(row.key) && !now.overwrites)) continue
    values.set(row.key, checkValue(row, raw.get(name), context))
  }
  return { values, legacyKeys }
}

/** A variable that is set but empty counts as not set, as in the existing system; for a list it is the empty list. */
function* environmentValues(sources: ConfigSources): Generator<[string, unknown]> {
  const { settings } = sources.env
  for (const [name, { key }] of LEGACY_KEYS) {
    const row = findKey(key)
    if (row) yield* variableValue(sources, row, `DMS_${name.replaceAll('.', '_').toUpperCase()}`)
  }
  for (const row of KEYS) yield* variableValue(sources, row, row.variable)

  function* variableValue(at: ConfigSources, row: ConfigKey, variable: string): Generator<[string, unknown]> {
    const text = settings.get(variable)
    if (text === undefined || (text === '' && row.type !== 'list')) return
    yield [row.key, parseValue(row, text, contextOf(at, `environment variable '${variable}'`))]
  }
}

function* flagValues(sources: ConfigSources): Generator<[string, unknown]> {
  for (const row of KEYS) {
    const value = row.flag === undefined ? undefined : sources.flags?.[row.flag]
    if (value === undefined) continue
    const context = contextOf(sources, `flag '--${row.flag}'`)
    yield [
      row.key,
      typeof value === 'string' ? parseValue(row, value, context) : checkValue(row, value, context)
    ]
  }
}

/** All keys with their values; a default may depend on the value of an earlier row. */
export function withDefaults(sources: ConfigSources, chosen: (key: string) => unknown): Map<string, unknown> {
  const complete = new Map<string, unknown>()
  const at = (key: string): string => String(complete.get(key))
  for (const row of KEYS) {
    const fallback = row.derive?.({ homeDirectory: sources.homeDirectory, at }) ?? row.default
    complete.set(row.key, chosen(row.key) ?? fallback)
  }
  return complete
}

function checkTogether(values: ReadonlyMap<string, unknown>): void {
  const from = values.get('general.port_available_range_from')
  const to = values.get('general.port_available_range_to')
  if (Number(from) < Number(to)) return
  throw new ConfigError('CONFIG_VALUE_INVALID', `the port range from ${from} to ${to} is empty`, {
    hint: 'set general.port_available_range_from below general.port_available_range_to'
  })
}

function toConfig(values: ReadonlyMap<string, unknown>): Config {
  const shown = [...values].map(([name, value]): [string, unknown] => [
    name,
    findKey(name)?.secret && value !== '' ? '[redacted]' : value
  ])
  // The rows of the table carry the types of `Config`; a test compares the two key by key.
  return toTree(shown) as Config
}

/** Dotted keys as nested objects. */
export function toTree(values: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const root: Record<string, unknown> = {}
  const sections = new Map<string, Record<string, unknown>>([['', root]])
  const section = (path: string): Record<string, unknown> => {
    const known = sections.get(path)
    if (known) return known
    const made: Record<string, unknown> = {}
    sections.set(path, made)
    section(parentOf(path))[nameOf(path)] = made
    return made
  }
  for (const [path, value] of values) section(parentOf(path))[nameOf(path)] = value
  return root
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')))
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}

function secretsOf(values: ReadonlyMap<string, unknown>): Map<string, Secret> {
  const set = KEYS.filter(row => row.secret && values.get(row.key) !== '')
  return new Map(set.map(row => [row.key, new Secret(String(values.get(row.key)))]))
}

/** A variable with our prefix that nothing reads is probably misspelt; it may also be somebody else's. */
function unknownVariables({ env }: ConfigSources): string[] {
  const known = new Set([
    ...KEYS.map(row => row.variable),
    ...[...LEGACY_KEYS.keys()].map(name => `DMS_${name.replaceAll('.', '_').toUpperCase()}`)
  ])
  return env.settings
    .names()
    .filter(name => !known.has(name))
    .map(name => {
      const near = suggestVariable(name)
      return `environment variable '${name.slice(0, 100)}' is not known${near ? `, did you mean '${near}'?` : ''}`
    })
}

export function contextOf(sources: ConfigSources, source: string): ValueContext {
  return { source, homeDirectory: sources.homeDirectory, cwd: sources.cwd }
}
