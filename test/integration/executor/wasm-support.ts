/** Compiled modules of `examples/wasm` and `test/fixtures/executor`, as engine parameters. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDERS = { example: '../../../examples/wasm/', fixture: '../../fixtures/executor/' } as const

/** The bytes of a module by its name without extension. */
export function moduleBytes(name: string, kind: keyof typeof FOLDERS = 'fixture'): Buffer {
  return readFileSync(fileURLToPath(new URL(`${FOLDERS[kind]}${name}.wasm`, import.meta.url)))
}

/** A module as base64. */
export function moduleText(name: string, kind: keyof typeof FOLDERS = 'fixture'): string {
  return moduleBytes(name, kind).toString('base64')
}
