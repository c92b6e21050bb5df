/**
 * The file as a tree of values that remember where they stand. Made from YAML (JSON is nearly a subset); aliases
 * and merge keys are put in here, bounded. Nodes are never changed: aliases share them.
 */

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap
} from 'yaml'
import { MAX_FILE_BYTES, MAX_FILE_DEPTH, MAX_FILE_VALUES } from '../constants.ts'
import type { Problems, Span } from './problem.ts'

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  /** As written, without quotes: `1.10` stays `1.10` where text is wanted. */
  readonly source: string
  readonly span: Span
}

export interface ListNode {
  readonly kind: 'list'
  readonly items: readonly SourceNode[]
  readonly span: Span
}

export interface Entry {
  readonly keySpan: Span
  readonly value: SourceNode
}

export interface MapNode {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<string, Entry>
  readonly span: Span
}

export type SourceNode = ScalarNode | ListNode | MapNode

const WHOLE = { span: { start: 0, end: 1 }, path: '' }
/** Syntax errors shown; after a few the rest are consequences. */
const MAX_SYNTAX_ERRORS = 5

/** The tree of a file, or `undefined` when it has none; the reasons are in `problems`. */
export function readTree(text: string, problems: Problems): SourceNode | undefined {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    problems.error(WHOLE, {
      expected: `a file of at most ${MAX_FILE_BYTES} bytes`,
      message: 'found a larger one'
    })
    return undefined
  }
  const document = parseYaml(text, problems)
  if (document === undefined) return undefined
  if (document.errors.length === 0) return new TreeBuilder(problems).build(document.contents)
  const json = parseJson(text)
  if (json !== undefined) return new TreeBuilder(problems).fromJson(json.value)
  for (const { pos, message } of document.errors.slice(0, MAX_SYNTAX_ERRORS)) {
    const finding = /call stack/.test(message) ? 'nested too deeply' : decapitalise(message)
    problems.error(
      { span: { start: pos[0], end: pos[1] }, path: '' },
      { message: `not valid YAML: ${finding}` }
    )
  }
  return undefined
}

function parseYaml(text: string, problems: Problems): Document.Parsed | undefined {
  try {
    // `uniqueKeys` compares each key with each; repeated keys are found here instead, in linear time.
    return parseDocument(text, { uniqueKeys: false, prettyErrors: false, logLevel: 'error' })
  } catch {
    problems.error(WHOLE, { message: 'not valid YAML: nested too deeply' })
    return undefined
  }
}

/** Older clients fall back to JSON for text YAML refuses, such as oddly indented JSON (deployment §1.1). */
function parseJson(text: string): { value: unknown } | undefined {
  if (!text.trimStart().startsWith('{')) return undefined
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

function decapitalise(message: string): string {
  return message.slice(0, 1).toLowerCase() + message.slice(1, 300)
}

/** Thrown inside the builder to leave a tree that cannot be finished; the problem is reported first. */
class Abandon extends Error {}

interface Weighed {
  node: SourceNode
  /** Values in it after aliases are put in. */
  weight: number
  /** Levels below it after aliases are put in. */
  height: number
}

class TreeBuilder {
  readonly #problems: Problems
  readonly #anchors = new Map<string, Weighed | undefined>()

  constructor(problems: Problems) {
    this.#problems = problems
  }

  build(contents: Node | null): SourceNode | undefined {
    return this.#guard(() => this.#convert(contents, 0).node)
  }

  fromJson(value: unknown): SourceNode | undefined {
    return this.#guard(() => this.#convertJson(value, 0))
  }

  #guard(work: () => SourceNode): SourceNode | undefined {
    try {
      return work()
    } catch (error) {
      if (error instanceof Abandon) return undefined
      throw error
    }
  }

  #abandon(span: Span, message: string, hint?: string): never {
    this.#problems.error({ span, path: '' }, hint === undefined ? { message } : { message, hint })
    throw new Abandon()
  }

  #convert(node: Node | null, depth: number): Weighed {
    const span = spanOf(node)
    if (depth > MAX_FILE_DEPTH) this.#abandon(span, `nested more than ${MAX_FILE_DEPTH} levels deep`)
    if (isAlias(node)) return this.#alias(node.source, span, depth)
    const anchor = node !== null && 'anchor' in node ? node.anchor : undefined
    if (anchor !== undefined) this.#anchors.set(anchor, undefined)
    const made = this.#convertPlain(node, span, depth)
    if (made.weight > MAX_FILE_VALUES)
      this.#abandon(span, `more than ${MAX_FILE_VALUES} values once aliases are put in`)
    if (anchor !== undefined) this.#anchors.set(anchor, made)
    return made
  }

  #convertPlain(node: Node | null, span: Span, depth: number): Weighed {
    if (isMap(node)) return this.#map(node, span, depth)
    if (isSeq<Node | Pair<Node, Node | null> | null>(node)) {
      const items = node.items.map(item =>
        this.#convert(item !== null && 'key' in item ? item.value : item, depth + 1)
      )
      const list: ListNode = { kind: 'list', items: items.map(item => item.node), span }
      const weight = items.reduce((sum, item) => sum + item.weight, 1)
      return {
        node: list,
        weight,
        height: 1 + items.reduce((height, item) => Math.max(height, item.height), 0)
      }
    }
    return { node: scalarOf(node, span), weight: 1, height: 0 }
  }

  #alias(name: string, span: Span, depth: number): Weighed {
    const target = this.#anchors.get(name)
    if (target !== undefined) {
      if (depth + target.height > MAX_FILE_DEPTH)
        this.#abandon(span, `nested more than ${MAX_FILE_DEPTH} levels deep`)
      return target
    }
    const message = this.#anchors.has(name)
      ? `'*${name}' stands inside its own anchor`
      : `no anchor '&${name}' before this`
    return this.#abandon(span, message)
  }

  #map(map: YAMLMap<unknown, unknown>, span: Span, depth: number): Weighed {
    const entries = new Map<string, Entry>()
    const merged: Weighed[] = []
    let weight = 1
    let height = 0
    for (const { key, value } of map.items) {
      const name = this.#keyName(key, span)
      const made = this.#convert(isNode(value) ? value : null, depth + 1)
      weight += made.weight
      height = Math.max(height, made.height)
      if (name === '<<') merged.push(made)
      else if (entries.has(name))
        this.#problems.error({ span: spanOf(key), path: name }, { message: `key '${name}' is here twice` })
      else entries.set(name, { keySpan: spanOf(key), value: emptyAt(made.node, spanOf(key)) })
    }
    for (const source of merged) this.#merge(entries, source.node)
    return { node: { kind: 'map', entries, span }, weight, height: height + 1 }
  }

  /** The YAML 1.1 merge key, which files in the wild use: keys of the map itself win. */
  #merge(entries: Map<string, Entry>, source: SourceNode): void {
    for (const map of source.kind === 'list' ? source.items : [source]) {
      if (map.kind !== 'map') this.#abandon(map.span, "'<<' takes a map or a list of maps")
      for (const [name, entry] of map.entries) if (!entries.has(name)) entries.set(name, entry)
    }
  }

  #keyName(key: unknown, span: Span): string {
    if (isScalar(key)) return scalarOf(key, span).source
    const hint =
      "marks such as '{{ name }}' must be filled in by the tool that made this file; quote text that begins with '{'"
    return this.#abandon(spanOf(key), 'a key must be plain text, found a map, list or alias', hint)
  }

  /** A JSON fallback has no positions: all problems point at the start of the file. */
  #convertJson(value: unknown, depth: number): SourceNode {
    const span = WHOLE.span
    if (depth > MAX_FILE_DEPTH) this.#abandon(span, `nested more than ${MAX_FILE_DEPTH} levels deep`)
    if (Array.isArray(value))
      return { kind: 'list', items: value.map(item => this.#convertJson(item, depth + 1)), span }
    if (typeof value === 'object' && value !== null) {
      const pairs = Object.entries(value).map(([key, item]): [string, Entry] => [
        key,
        { keySpan: span, value: this.#convertJson(item, depth + 1) }
      ])
      return { kind: 'map', entries: new Map(pairs), span }
    }
    const plain =
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
    return { kind: 'scalar', value: plain, source: String(plain), span }
  }
}

function isNode(value: unknown): value is Node {
  return isAlias(value) || isMap(value) || isSeq(value) || isScalar(value)
}

function spanOf(node: unknown): Span {
  const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined
  if (!Array.isArray(range)) return WHOLE.span
  return { start: Number(range[0]), end: Number(range[1]) }
}

/** `key:` with nothing after it has no place of its own; its key stands in. */
function emptyAt(node: SourceNode, keySpan: Span): SourceNode {
  return node.kind === 'scalar' && node.source === '' && node.value === null
    ? { ...node, span: keySpan }
    : node
}

/** Numbers, booleans, null and text stay; what other tags make (dates, bytes, symbols) is the text as written. */
function scalarOf(node: unknown, span: Span): ScalarNode {
  if (!isScalar(node)) return { kind: 'scalar', value: null, source: '', span }
  const { value } = node
  const source = typeof value === 'string' ? value : (node.source ?? String(value))
  const plain =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null
  return { kind: 'scalar', value: plain ? value : source, source, span }
}
