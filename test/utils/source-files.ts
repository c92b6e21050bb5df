import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Root of the repository. */
export const SOURCE_ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Paths, relative to the root, of all TypeScript files below `directory` (`src`, `bin`, `test/unit` …), sorted. */
export function sourceFiles(directory: string): string[] {
  return readdirSync(join(SOURCE_ROOT, directory), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => `${directory}/${name.replaceAll('\\', '/')}`)
    .sort()
}
