import { posix } from 'node:path'
import { codeOnly, lineAt, withoutComments } from './scan.ts'

/** One import, re-export or dynamic import. */
export interface Import {
  /** As written; empty when it is computed at run time. */
  readonly specifier: string
  readonly line: number
  readonly dynamic: boolean
}

const STATIC = /\b(?:import|export)\b(?:[^'"`;=()]|\bas\b)*?\bfrom\s*(['"])([^'"\n]+)\1/g
const SIDE_EFFECT = /\bimport\s*(['"])([^'"\n]+)\1/g
const DYNAMIC = /(?<![.#\w$]|\b[gs]et )(?:import|require|require\.resolve)\s*\(\s*(?:(['"`])([^'"`\n$]+)\1)?/g

/** All imports of a text, type imports included. */
export function importsOf(text: string): Import[] {
  const readable = withoutComments(text)
  const code = codeOnly(text)
  const found: Import[] = []
  for (const [pattern, dynamic] of [
    [STATIC, false],
    [SIDE_EFFECT, false],
    [DYNAMIC, true]
  ] as const) {
    for (const match of readable.matchAll(pattern)) {
      // The word itself must be code: a message that says "import … from 'x'" is none.
      if (!/\S/.test(code[match.index] ?? ' ')) continue
      found.push({ specifier: match[2] ?? '', line: lineAt(text, match.index), dynamic })
    }
  }
  return found.sort((a, b) => a.line - b.line)
}

/** Path of a relative import from the root of the repository; `undefined` for a package. */
export function resolveImport(file: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : undefined
}

/** Name of the package of a specifier: `@libp2p/crypto/keys` is `@libp2p/crypto`. */
export function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
