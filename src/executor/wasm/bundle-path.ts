/** Finds the runner and its worker, both from the sources and from the bundle. Loaded in the runner too: keep it small. */

import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A script beside this file, and the directory it may read. */
export interface ScriptPlace {
  readonly script: string
  /** Everything the script imports lies under it. */
  readonly root: string
}

/**
 * From the sources: `<name>.ts` in this folder, importing from all of `src`. From the bundle:
 * `dist/wasm-<name>.js`, importing from `dist/chunks`; this code itself may have landed in either of the two.
 */
export function placeOf(name: 'runner' | 'worker', moduleUrl: string = import.meta.url): ScriptPlace {
  const own = fileURLToPath(moduleUrl)
  const directory = dirname(own)
  if (own.endsWith('.ts')) return { script: join(directory, `${name}.ts`), root: join(directory, '..', '..') }
  const root = basename(directory) === 'chunks' ? dirname(directory) : directory
  return { script: join(root, `wasm-${name}.js`), root }
}
