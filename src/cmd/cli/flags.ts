/**
 * Flags as tables, read the way Go's pflag reads them, so that every spelling existing scripts use is taken:
 * `--flag value`, `--flag=value`, `-f value`, `-fvalue`, `-f=value`, grouped booleans, `--flag=false`, flags and
 * words in any order, `--` to end flags (cli-api-config §1). The table gives the types of the values as well.
 *
 * Written here because a general parser costs 14 ms at start, more than `nunet --help` may take in all, and none
 * reads `-f=value` or prints pflag's messages.
 */

import { errorMessage, parseDurationMs, parseTimeMs } from '../../utils/index.ts'
import { UsageError } from './errors.ts'

interface KindValues {
  string: string
  /** Repeatable, and commas split. */
  strings: string[]
  /** `key=value`, repeatable, and commas split. */
  pairs: Record<string, string>
  bool: boolean
  int: number
  uint: number
  float: number
  /** Milliseconds. */
  duration: number
  /** Milliseconds since the epoch. */
  time: number
}

export type FlagKind = keyof KindValues

/** One flag. Its long name is its key in the table. */
export interface FlagSpec {
  readonly kind: FlagKind
  readonly description: string
  readonly short?: string
  /** As it would be typed; read like input. */
  readonly default?: string
  readonly required?: true
  readonly hidden?: true
}

export type FlagTable = Readonly<Record<string, FlagSpec>>

type FlagValue<S extends FlagSpec> = S extends { default: string } | { required: true }
  ? KindValues[S['kind']]
  : S['kind'] extends 'bool' | 'strings' | 'pairs'
    ? KindValues[S['kind']]
    : KindValues[S['kind']] | undefined

/** Values of a table: an absent flag without default is `undefined`, `false`, `[]` or `{}` by its kind. */
export type FlagValues<T extends FlagTable> = { readonly [Name in keyof T]: FlagValue<T[Name]> }

/** What a command line said. */
export interface ParsedFlags {
  readonly values: ReadonlyMap<string, unknown>
  /** Long names of the flags that were typed. */
  readonly given: ReadonlySet<string>
  readonly words: readonly string[]
}

/** Whether a flag token takes the next word: false for booleans and for `--name=value`; true for flags nobody knows. */
export function takesNextWord(token: string, table: FlagTable): boolean {
  if (token.includes('=')) return false
  if (token.startsWith('--')) return table[token.slice(2)]?.kind !== 'bool'
  if (token.length !== 2) return false
  const spec = byShort(table, token.slice(1))
  return spec === undefined || spec[1].kind !== 'bool'
}

function byShort(table: FlagTable, letter: string): [string, FlagSpec] | undefined {
  // The last one wins: a command's own flags stand behind the inherited ones they shadow.
  return Object.entries(table).findLast(([, spec]) => spec.short === letter)
}

/** Reads the words behind a command. @throws UsageError with pflag's texts. */
export function parseFlags(table: FlagTable, args: readonly string[]): ParsedFlags {
  const reader = new Reader(table, args)
  return reader.read()
}

class Reader {
  readonly #table: FlagTable
  readonly #args: readonly string[]
  readonly #values = new Map<string, unknown>()
  readonly #given = new Set<string>()
  readonly #words: string[] = []
  #at = 0

  constructor(table: FlagTable, args: readonly string[]) {
    this.#table = table
    this.#args = args
  }

  read(): ParsedFlags {
    for (; this.#at < this.#args.length; this.#at++) {
      const token = this.#args[this.#at] ?? ''
      if (token === '--') {
        this.#words.push(...this.#args.slice(this.#at + 1))
        break
      }
      if (token.startsWith('--')) this.#long(token)
      else if (token.startsWith('-') && token.length > 1) this.#shorts(token)
      else this.#words.push(token)
    }
    this.#fillDefaults()
    return { values: this.#values, given: this.#given, words: this.#words }
  }

  #long(token: string): void {
    const equals = token.indexOf('=')
    const name = equals === -1 ? token.slice(2) : token.slice(2, equals)
    const spec = Object.hasOwn(this.#table, name) ? this.#table[name] : undefined
    if (spec === undefined) throw unknownFlag(`unknown flag: --${name}`, name, this.#table)
    if (equals !== -1) this.#set(name, spec, token.slice(equals + 1))
    else if (spec.kind === 'bool') this.#set(name, spec, 'true')
    else this.#set(name, spec, this.#next(`flag needs an argument: --${name}`))
  }

  #shorts(token: string): void {
    let letters = token.slice(1)
    while (letters !== '') letters = this.#short(token, letters)
  }

  /** Takes the first letter; what is left of the group comes back. */
  #short(token: string, letters: string): string {
    const letter = letters.slice(0, 1)
    const found = byShort(this.#table, letter)
    if (found === undefined) throw new UsageError(`unknown shorthand flag: '${letter}' in ${token}`)
    const [name, spec] = found
    const rest = letters.slice(1)
    if (spec.kind === 'bool' && !rest.startsWith('=')) {
      this.#set(name, spec, 'true')
      return rest
    }
    const attached = rest.startsWith('=') ? rest.slice(1) : rest
    this.#set(
      name,
      spec,
      rest !== '' ? attached : this.#next(`flag needs an argument: '${letter}' in ${token}`)
    )
    return ''
  }

  #next(complaint: string): string {
    const value = this.#args[++this.#at]
    if (value === undefined) throw new UsageError(complaint)
    return value
  }

  #set(name: string, spec: FlagSpec, text: string): void {
    const before = this.#given.has(name) ? this.#values.get(name) : undefined
    this.#values.set(name, readValue(name, spec, text, before))
    this.#given.add(name)
  }

  #fillDefaults(): void {
    for (const [name, spec] of Object.entries(this.#table)) {
      if (this.#given.has(name)) continue
      if (spec.default !== undefined) this.#values.set(name, readValue(name, spec, spec.default, undefined))
      else if (spec.kind === 'bool') this.#values.set(name, false)
      else if (spec.kind === 'strings') this.#values.set(name, [])
      else if (spec.kind === 'pairs') this.#values.set(name, {})
    }
  }
}

function readValue(name: string, spec: FlagSpec, text: string, before: unknown): unknown {
  try {
    return convert(spec.kind, text, before)
  } catch (error) {
    const shown = spec.short === undefined ? `--${name}` : `-${spec.short}, --${name}`
    throw new UsageError(`invalid argument "${text}" for "${shown}" flag: ${errorMessage(error)}`, {
      cause: error
    })
  }
}

/** Go's boolean literals. */
const BOOLEANS: Readonly<Record<string, boolean>> = {
  '1': true,
  t: true,
  T: true,
  true: true,
  TRUE: true,
  True: true,
  '0': false,
  f: false,
  F: false,
  false: false,
  FALSE: false,
  False: false
}

/** What `-f` kinds accept, in words, for messages. */
const WANTED: Readonly<Record<'int' | 'uint' | 'float', [RegExp, string]>> = {
  int: [/^[+-]?\d+$/, 'expected a whole number'],
  uint: [/^\d+$/, 'expected a whole number, 0 or more'],
  float: [/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/, 'expected a number']
}

function convert(kind: FlagKind, text: string, before: unknown): unknown {
  switch (kind) {
    case 'string':
      return text
    case 'strings':
      return [...(Array.isArray(before) ? before : []), ...splitCommas(text)]
    case 'pairs':
      return { ...(typeof before === 'object' ? before : {}), ...readPairs(text) }
    case 'bool': {
      const value = Object.hasOwn(BOOLEANS, text) ? BOOLEANS[text] : undefined
      if (value === undefined) throw new UsageError("expected 'true' or 'false'")
      return value
    }
    case 'duration':
      return parseDurationMs(text)
    case 'time':
      return parseTimeMs(text)
    default: {
      const [form, wanted] = WANTED[kind]
      const value = Number(text)
      if (!form.test(text) || Math.abs(value) > Number.MAX_SAFE_INTEGER) throw new UsageError(wanted)
      return value
    }
  }
}

/** Splits at commas; double quotes protect one, as in CSV. */
function splitCommas(text: string): string[] {
  if (text === '') return []
  const items = text.match(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g) ?? []
  const parts = items.map(item => item.replace(/,$/, ''))
  if (!text.endsWith(',')) parts.pop() // the empty match at the end of the text
  return parts.map(part =>
    part.startsWith('"') && part.endsWith('"') && part.length > 1
      ? part.slice(1, -1).replaceAll('""', '"')
      : part
  )
}

function readPairs(text: string): Record<string, string> {
  const pairs: [string, string][] = []
  for (const part of splitCommas(text)) {
    const equals = part.indexOf('=')
    if (equals < 1) throw new UsageError(`'${part}' must be formatted as key=value`)
    pairs.push([part.slice(0, equals), part.slice(equals + 1)])
  }
  return Object.fromEntries(pairs)
}

function unknownFlag(message: string, name: string, table: FlagTable): UsageError {
  const near = nearest(
    name,
    Object.keys(table).filter(known => !table[known]?.hidden)
  )
  return new UsageError(message, near === undefined ? {} : { hint: `did you mean --${near}?` })
}

/** The known word at most two edits away, for "did you mean". */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map(candidate => ({ candidate, distance: editDistance(word.slice(0, 64), candidate) }))
    .filter(({ candidate, distance }) => distance <= 2 && distance < candidate.length)
    .sort((a, b) => a.distance - b.distance)
  return ranked[0]?.candidate
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replace))
    }
    row = next
  }
  return row[b.length] ?? 0
}
