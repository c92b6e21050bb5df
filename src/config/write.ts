/** Changes the configuration file: `nunet config set` and the first writing of a file. */

import { join } from 'node:path'
import type { Clock } from '../types/index.ts'
import { CONFIG_FILE_NAME, type ConfigFiles, diskConfigFiles, unknownKey } from './config-file.ts'
import { findKey, LEGACY_KEYS } from './keys.ts'
import {
  type ConfigSources,
  contextOf,
  findFile,
  placesOf,
  readFileValues,
  toTree,
  withDefaults
} from './load.ts'
import { parseValue } from './values.ts'

/** What happened to the file. */
export interface ConfigWrite {
  readonly path: string
  /** False when the file was there before. */
  readonly created: boolean
  /** Copy of the old file, made when it held keys of an early release. */
  readonly backup?: string
}

/**
 * Sets one key from text and writes the complete configuration: what the file had, or the default. Values that
 * come from the environment or from flags are not written. Nothing changes when the key or the value is wrong.
 *
 * @throws ConfigError as `loadConfig`, and `CONFIG_FILE` when the file cannot be written
 */
export function writeConfigValue(
  deps: { clock: Pick<Clock, 'nowMs'> },
  sources: ConfigSources,
  name: string,
  text: string
): ConfigWrite {
  const wanted = name.toLowerCase()
  const row = findKey(LEGACY_KEYS.get(wanted)?.key ?? wanted)
  if (row === undefined) throw unknownKey(name)
  const value = parseValue(row, text, contextOf(sources, 'the command line'))
  return rewrite(deps, sources, values => values.set(row.key, value))
}

/** Writes the complete configuration to a new file when none is in use yet; otherwise does nothing. */
export function createConfigFile(deps: { clock: Pick<Clock, 'nowMs'> }, sources: ConfigSources): ConfigWrite {
  const found = findFile(sources, placesOf(sources))
  return found === undefined ? rewrite(deps, sources, () => undefined) : { path: found.path, created: false }
}

function rewrite(
  { clock }: { clock: Pick<Clock, 'nowMs'> },
  sources: ConfigSources,
  change: (values: Map<string, unknown>) => void
): ConfigWrite {
  const files: ConfigFiles = sources.files ?? diskConfigFiles
  const found = findFile(sources, placesOf(sources))
  const { values, legacyKeys } = found === undefined ? EMPTY : readFileValues(sources, found)
  const path = found?.path ?? join(sources.cwd, CONFIG_FILE_NAME)
  const changed = new Map(values)
  change(changed)
  const complete = withDefaults(sources, key => changed.get(key))
  // The old text is put aside before the new one is written: at no moment is it lost (cli-api-config §5.3).
  const backup = legacyKeys.length > 0 ? `${path}.bk.${Math.floor(clock.nowMs() / 1000)}` : undefined
  if (backup !== undefined && found !== undefined) files.write(backup, found.text)
  files.write(path, `${JSON.stringify(toTree(complete), undefined, 2)}\n`)
  return { path, created: found === undefined, ...(backup === undefined ? {} : { backup }) }
}

const EMPTY = { values: new Map<string, unknown>(), legacyKeys: [] }
