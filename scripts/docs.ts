/**
 * Writes the generated reference pages: `docs/cli.md` from the declarations of the commands, `docs/openapi.json` from
 * the routes, `docs/config.md` from the table of keys, `docs/errors.md` from the codes in the sources. With `--check` it writes nothing and fails when one is stale.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { openApiDocument, ROUTES } from '../src/api/index.ts'
import { commandReference } from '../src/cmd/cli/reference.ts'
import { commandTree } from '../src/cmd/index.ts'
import { configReference } from '../src/config/index.ts'
import { errorReference } from './docs/error-reference.ts'

const PAGES: readonly (readonly [path: string, make: () => string | Promise<string>])[] = [
  ['docs/cli.md', () => commandReference(commandTree)],
  ['docs/openapi.json', () => `${JSON.stringify(openApiDocument(ROUTES), undefined, 2)}\n`],
  ['docs/config.md', configReference],
  ['docs/errors.md', () => errorReference()]
]

function current(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const check = process.argv.includes('--check')
for (const [path, make] of PAGES) {
  const text = await make()
  if (current(path) === text) continue
  if (check) {
    process.exitCode = 1
    console.error(`${path} is stale: run 'npm run docs'`)
  } else {
    writeFileSync(path, text)
    console.error(`wrote ${path}`)
  }
}
