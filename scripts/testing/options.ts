import { parseArgs } from 'node:util'

/** Kinds of tests, in the order they run: the quick ones first. */
export const KINDS = ['unit', 'contract', 'property', 'integration', 'e2e'] as const

export type Kind = (typeof KINDS)[number]

/** What the runner was asked to do. */
export interface TestOptions {
  /** Skips the compiler and the linter. */
  readonly fast: boolean
  readonly kinds: readonly Kind[]
  /** A file runs when its path contains one of these; all run when there is none. */
  readonly filters: readonly string[]
  /** Parts whose absence is a failure; `all` makes every skipped test one. */
  readonly required: readonly string[]
  /** Only tests whose name matches. */
  readonly namePatterns: readonly string[]
  /** Folder with the kinds in it. */
  readonly directory: string
  /** Folder whose `lib` must be covered whole when all its tests run. */
  readonly sources: string
  /** Many more cases for each property. */
  readonly nightly: boolean
}

export const USAGE = `usage: npm test -- [options] [part of a path …]
  --fast              without type check and lint
  --kind KIND         only this kind (may be repeated): ${KINDS.join(', ')}
  --name PATTERN      only tests whose name matches
  --nightly           100,000 generated cases for each property instead of 2,000 (takes long)
  --require PARTS     fail where these are missing instead of skipping, for example docker,root or all
When all tests or those of 'lib' are asked for, every branch of src/lib must be run by them.
`

/** Reads the command line and the environment. @throws Error for an option or kind that does not exist */
export function readOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>
): TestOptions | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      fast: { type: 'boolean', default: false },
      kind: { type: 'string', multiple: true, default: [] },
      name: { type: 'string', multiple: true, default: [] },
      require: { type: 'string', multiple: true, default: [] },
      directory: { type: 'string', default: 'test' },
      sources: { type: 'string', default: 'src' },
      nightly: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) return 'help'
  const ci = env['CI'] === 'true' ? ['docker', 'root'] : []
  const lists = [...values.require, env['NUNET_REQUIRE'] ?? ''].flatMap(list => list.split(','))
  return {
    fast: values.fast,
    kinds: values.kind.length === 0 ? KINDS : values.kind.map(toKind),
    filters: positionals,
    required: [...new Set([...ci, ...lists.map(part => part.trim()).filter(part => part !== '')])],
    namePatterns: values.name,
    directory: values.directory,
    sources: values.sources,
    nightly: values.nightly
  }
}

function toKind(text: string): Kind {
  const kind = KINDS.find(known => known === text)
  if (kind === undefined)
    throw new Error(`'${text}' is not a kind of test, expected one of ${KINDS.join(', ')}`)
  return kind
}

/** Whether a skip is a failure: its reason names a required part as a word, or every part is required. */
export function isForbiddenSkip(reason: string, required: readonly string[]): boolean {
  const words = reason.toLowerCase().split(/[^a-z0-9_]+/)
  return required.some(part => part === 'all' || words.includes(part.toLowerCase()))
}
