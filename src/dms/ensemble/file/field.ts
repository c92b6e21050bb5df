/**
 * Reading typed values out of the tree. Each reader returns the value, or `undefined` after reporting what it
 * found instead; an absent or empty value is `undefined` without a report, so optional members need no special care.
 */

import { MAX_LIST_LENGTH } from '../constants.ts'
import type { Finding, Place, Problems, Span } from './problem.ts'
import { suggest } from './suggest.ts'
import type { Entry, MapNode, SourceNode } from './tree.ts'

/** A place in the file that has, or lacks, a value. */
export class Field implements Place {
  readonly node: SourceNode | undefined
  readonly span: Span
  readonly path: string
  readonly problems: Problems

  constructor(node: SourceNode | undefined, place: Place, problems: Problems) {
    this.node = node
    this.span = place.span
    this.path = place.path
    this.problems = problems
  }

  /** False when the key is missing or has no value. */
  get given(): boolean {
    return this.node !== undefined && !(this.node.kind === 'scalar' && this.node.value === null)
  }

  /** Reports `expected …, found …`. Returns `undefined` so that readers can return it. */
  fail(expected: string, hint?: string): undefined {
    this.problems.error(this, {
      expected,
      message: `found ${describe(this.node)}`,
      ...(hint === undefined ? {} : { hint })
    })
    return undefined
  }

  warn(finding: Finding): void {
    this.problems.warning(this, finding)
  }

  /** True when there is a value; reports its absence otherwise. */
  required(expected: string, hint?: string): boolean {
    if (!this.given) this.fail(expected, hint)
    return this.given
  }

  map(expected = 'a map'): FieldMap | undefined {
    if (!this.given) return undefined
    return this.node?.kind === 'map' ? new FieldMap(this.node, this) : this.fail(expected)
  }

  list(expected = 'a list', hint?: string): Field[] {
    if (!this.given) return []
    if (this.node?.kind !== 'list') {
      this.fail(expected, hint)
      return []
    }
    if (this.node.items.length > MAX_LIST_LENGTH) {
      this.problems.error(this, {
        expected: `at most ${MAX_LIST_LENGTH} items`,
        message: `found ${this.node.items.length}`
      })
      return []
    }
    return this.node.items.map(
      (item, index) => new Field(item, { span: item.span, path: `${this.path}[${index}]` }, this.problems)
    )
  }

  /** Text that is not empty. */
  text(expected = 'text'): string | undefined {
    if (!this.given) return undefined
    if (this.node?.kind !== 'scalar' || this.node.value === '') return this.fail(expected)
    if (typeof this.node.value === 'string') return this.node.value
    return this.fail(expected, `put it in quotes: "${this.node.source}"`)
  }

  /** Text where a number or boolean as written will do as well, such as an argument; may be empty. */
  scalar(expected = 'text'): string | undefined {
    if (this.node?.kind === 'scalar' && this.given) return this.node.source
    return this.fail(expected)
  }

  /** A name: text that is not empty, or a number or boolean as written. */
  name(expected: string): string | undefined {
    return this.given ? (this.reference ?? this.fail(expected)) : undefined
  }

  /** The same, silently `undefined` when there is none: for a second look at a field that was read before. */
  get reference(): string | undefined {
    return this.node?.kind === 'scalar' && this.given && this.node.source !== ''
      ? this.node.source
      : undefined
  }

  /** A list of `scalar`s, or `undefined` when absent. */
  scalars(expected: string, hint?: string): string[] | undefined {
    if (!this.given) return undefined
    return this.list(expected, hint).map(item => item.scalar() ?? '')
  }

  /** A list of names, or `undefined` when absent. */
  names(expected = 'a list of names'): { name: string; field: Field }[] | undefined {
    if (!this.given) return undefined
    return this.list(expected).flatMap(field => {
      const name = field.required('a name') ? field.name('a name') : undefined
      return name === undefined ? [] : [{ name, field }]
    })
  }

  /** The same without their fields; `undefined` also when the list is empty. */
  nameList(expected: string): readonly string[] | undefined {
    return filled(this.names(expected)?.map(item => item.name))
  }

  /** The texts of a list, silently without what is none: for a second look at a field that was read before. */
  references(): { name: string; field: Field }[] {
    return this.items().flatMap(field => {
      const name = field.reference
      return name === undefined ? [] : [{ name, field }]
    })
  }

  /** The items of a list, silently none when it is no list. */
  items(): Field[] {
    return this.node?.kind === 'list' && this.node.items.length <= MAX_LIST_LENGTH ? this.list() : []
  }

  /** A member of a map that was read before, or `undefined`. */
  member(name: string): Field | undefined {
    return this.node?.kind === 'map' ? this.map()?.get(name) : undefined
  }

  boolean(): boolean | undefined {
    if (!this.given) return undefined
    if (this.node?.kind === 'scalar' && typeof this.node.value === 'boolean') return this.node.value
    return this.fail("'true' or 'false'")
  }

  /** A whole number; digits in quotes, as a mark yields them, count. */
  integer(expected: string, accepts: (value: number) => boolean): number | undefined {
    if (!this.given) return undefined
    const value = this.node?.kind === 'scalar' ? wholeNumber(this.node.value) : undefined
    return value !== undefined && accepts(value) ? value : this.fail(expected)
  }

  /** A number or text that `parse` reads or throws at. */
  parsed(expected: string, parse: (value: string | number) => number, hint?: string): number | undefined {
    if (!this.given) return undefined
    const value = this.node?.kind === 'scalar' ? this.node.value : undefined
    if (typeof value !== 'string' && typeof value !== 'number') return this.fail(expected)
    try {
      return parse(value)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      return this.fail(expected, hint)
    }
  }

  oneOf<T extends string>(values: readonly T[]): T | undefined {
    if (!this.given) return undefined
    const text = this.node?.kind === 'scalar' ? this.node.source : undefined
    const found = values.find(value => value === text)
    if (found !== undefined) return found
    const near = text === undefined ? undefined : suggest(text, values)
    return this.fail(quotedList(values), near === undefined ? undefined : `did you mean '${near}'?`)
  }
}

/** A map whose members are read by name. Names are found without regard to case, as existing readers do. */
export class FieldMap {
  readonly field: Field
  readonly #node: MapNode
  readonly #asked = new Set<string>()

  constructor(node: MapNode, field: Field) {
    this.field = field
    this.#node = node
  }

  get size(): number {
    return this.#node.entries.size
  }

  /** A member. When it is missing, problems point at the key of this map. */
  get(name: string): Field {
    this.#asked.add(name)
    const written = this.#written(name)
    const path = join(this.field.path, name)
    const entry = written === undefined ? undefined : this.#node.entries.get(written)
    if (entry === undefined) return new Field(undefined, { span: this.field.span, path }, this.field.problems)
    return new Field(entry.value, { span: spanOf(entry), path }, this.field.problems)
  }

  /** All members, by name as written. */
  members(): { name: string; field: Field }[] {
    return [...this.#node.entries].map(([name, entry]) => {
      const place = { span: spanOf(entry), path: join(this.field.path, name) }
      return { name, field: new Field(entry.value, place, this.field.problems) }
    })
  }

  /** A place that points at a key instead of its value. */
  keyOf(name: string): Place {
    const written = this.#written(name) ?? name
    return {
      span: this.#node.entries.get(written)?.keySpan ?? this.field.span,
      path: join(this.field.path, name)
    }
  }

  /** Members nobody has asked for, by name as written. */
  unknown(): { name: string; field: Field }[] {
    const asked = new Set([...this.#asked].map(name => this.#written(name)))
    return this.members().filter(({ name }) => !asked.has(name))
  }

  /** Warns of members nobody has asked for. They never fail: real files have many (deployment §5). */
  warnUnknown(effect = 'is ignored'): void {
    for (const { name } of this.unknown()) {
      if (this.field.problems.warnedEnough) return
      const near = suggest(name, [...this.#asked])
      this.field.problems.warning(this.keyOf(name), {
        message: `unknown key '${name}' ${effect}`,
        ...(near === undefined ? {} : { hint: `did you mean '${near}'?` })
      })
    }
  }

  #written(name: string): string | undefined {
    if (this.#node.entries.has(name)) return name
    const folded = name.toLowerCase()
    return [...this.#node.entries.keys()].find(key => key.toLowerCase() === folded)
  }
}

/** A single value is meant itself; a map or list goes by its key, as it may be pages long. */
function spanOf({ value, keySpan }: Entry): Span {
  return value.kind === 'scalar' ? value.span : keySpan
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined
}

/** `'a', 'b' or 'c'`. */
export function quotedList(values: readonly string[]): string {
  const quoted = values.map(value => `'${value}'`)
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}

/** What stands there, in words. */
export function describe(node: SourceNode | undefined): string {
  if (node === undefined) return 'nothing'
  if (node.kind === 'map') return node.entries.size === 0 ? 'an empty map' : 'a map'
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list'
  if (node.value === null) return 'nothing'
  if (typeof node.value !== 'string') return `${typeof node.value} ${node.source}`
  return node.value === '' ? 'empty text' : `'${shorten(node.value)}'`
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

/** A tree without its positions, as plain JSON values. Numbers that JSON cannot write become text. */
export function plainValue(node: SourceNode): unknown {
  if (node.kind === 'list') return node.items.map(plainValue)
  if (node.kind === 'map')
    return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plainValue(value)]))
  return typeof node.value === 'number' && !Number.isFinite(node.value) ? node.source : node.value
}

/** The list, or `undefined` when it is empty: the wire does not tell the two apart. */
export function filled<T>(items: readonly T[] | undefined): readonly T[] | undefined {
  return items !== undefined && items.length > 0 ? items : undefined
}

/** The same object without members that are `undefined`, so that it equals what comes back from the wire. */
export function defined<T extends object>(value: T): T {
  for (const [key, member] of Object.entries(value))
    if (member === undefined) Reflect.deleteProperty(value, key)
  return value
}
