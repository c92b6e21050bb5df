/**
 * `docs/errors.md`: every stable code of the program, read from the sources. A code of an error class stands in a
 * documented union (`/** reason *\/ | 'CODE'`) or beside its class; a code of a refusal stands where it is made.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CodeEntry {
  readonly code: string
  readonly domain: string
  readonly meaning: string
}

const DOCUMENTED_MEMBER = /\/\*\* ([^*]+(?:\*(?!\/)[^*]*)*)\*\/\s*\|\s*'([A-Z][A-Z0-9_]+)'/g
const CLASS_CODE =
  /\/\*\*([\s\S]*?)\*\/\s*(?:export )?class \w+ extends \w+ \{[^}]*?readonly code(?:: string)? = '([A-Z][A-Z0-9_]+)'/g
/** Last, for a class without a comment. */
const BARE_CODE = /readonly code(?:: string)? = '([A-Z][A-Z0-9_]+)'/g
const REFUSAL =
  /(?:refusal|tokenRefusal|say)\(\s*'([A-Z][A-Z0-9_]+)',\s*(?:token, \d+, |\w+, \w+, )?([`'"])((?:(?!\2)[^\n])*)/g

/** All TypeScript sources, the processes of workloads excepted: their codes are not ours. */
function sources(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap(entry => {
    const path = join(directory, entry.name)
    return entry.isDirectory() ? sources(path) : path.endsWith('.ts') ? [path] : []
  })
}

/** The codes found in one file. */
export function codesIn(path: string, text: string): CodeEntry[] {
  const domain = path.split('/').slice(1, -1).slice(0, 2).join('/')
  const found: CodeEntry[] = []
  for (const [, meaning = '', code = ''] of text.matchAll(DOCUMENTED_MEMBER))
    found.push({ code, domain, meaning: clean(meaning) })
  for (const [, meaning = '', code = ''] of text.matchAll(CLASS_CODE))
    found.push({ code, domain, meaning: clean(meaning) })
  for (const [, code = '', , meaning = ''] of text.matchAll(REFUSAL))
    found.push({ code, domain, meaning: example(meaning) })
  for (const [, code = ''] of text.matchAll(BARE_CODE)) found.push({ code, domain, meaning: '' })
  return found
}

/** The page. */
export function errorReference(root = 'src'): string {
  const byCode = new Map<string, CodeEntry>()
  for (const path of sources(root)) {
    for (const entry of codesIn(path, readFileSync(path, 'utf8'))) {
      if (!byCode.has(entry.code)) byCode.set(entry.code, entry)
    }
  }
  const entries = [...byCode.values()].sort((a, b) => (a.code < b.code ? -1 : 1))
  const rows = entries.map(({ code, domain, meaning }) => `| \`${code}\` | ${domain} | ${meaning} |`)
  return `# Errors and refusals

Generated from the sources by \`npm run docs\`. Match on the code; the text may change. Faults are thrown with a code and, where there is one,
a hint that says what to do; refusals are values that print as a tree with a code on each line.

| code | from | meaning |
|---|---|---|
${rows.join('\n')}
`
}

function clean(comment: string): string {
  const text = comment
    .replace(/\s*\n\s*\*\s?/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return escapeCell((/^[\s\S]*?[.](?=\s|$)/.exec(text)?.[0] ?? text).trim())
}

/** The message of a refusal with its values shown as an ellipsis. */
function example(template: string): string {
  const text = template.replace(/\$\{[^}]*\}?/g, '…').trim()
  return text === '' ? '' : `“${escapeCell(text)}”`
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|')
}
