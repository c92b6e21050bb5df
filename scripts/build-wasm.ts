/** Assembles the WebAssembly text files of examples and tests; with `--check` it only says which binaries are stale. */

import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import loadWabt from 'wabt'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Folders that hold `.wat` files, each with its `.wasm` beside it. */
export const WAT_FOLDERS: readonly string[] = ['examples/wasm', 'test/fixtures/executor']

/** What a text file uses beyond the first version of WebAssembly. */
const FEATURES = { bulk_memory: true, exceptions: true, multi_memory: true } as const

export interface AssembledModule {
  /** Path of the `.wasm` file. */
  readonly path: string
  readonly binary: Uint8Array
}

/** Assembles every text file. @throws Error with file, line and column for one that is wrong. */
export async function assembleAll(): Promise<AssembledModule[]> {
  const wabt = await loadWabt()
  const modules: AssembledModule[] = []
  for (const folder of WAT_FOLDERS) {
    const names = (await readdir(join(root, folder))).filter(name => name.endsWith('.wat')).sort()
    for (const name of names) {
      const source = join(root, folder, name)
      const module = wabt.parseWat(name, await readFile(source, 'utf8'), FEATURES)
      module.resolveNames()
      const { buffer } = module.toBinary({ write_debug_names: false })
      module.destroy()
      modules.push({ path: source.replace(/\.wat$/, '.wasm'), binary: buffer })
    }
  }
  return modules
}

/** Paths of binaries that are missing or differ from their text. */
export async function staleModules(modules: readonly AssembledModule[]): Promise<string[]> {
  const stale: string[] = []
  for (const { path, binary } of modules) {
    const current = await readFile(path).catch(() => undefined)
    if (current === undefined || !current.equals(binary)) stale.push(path)
  }
  return stale
}

async function main(isCheck: boolean): Promise<void> {
  const modules = await assembleAll()
  const stale = await staleModules(modules)
  if (isCheck) {
    for (const path of stale)
      console.error(`stale: ${path}; run 'node_modules/.bin/node scripts/build-wasm.ts'`)
    process.exitCode = stale.length > 0 ? 1 : 0
    return
  }
  for (const { path, binary } of modules) if (stale.includes(path)) await writeFile(path, binary)
  console.log(`${modules.length} modules, ${stale.length} written`)
}

if (import.meta.main) await main(process.argv.includes('--check'))
