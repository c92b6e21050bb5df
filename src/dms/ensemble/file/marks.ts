/**
 * `${…}` marks in the text values of a file (deployment §1.6): `${NAME}`, `${env:NAME}`, `${file:PATH}`, each with
 * an optional default after `:-`. What a mark yields is expanded again, file content included, as existing files
 * expect; the word `raw` after a bar (`${file:run.sh|raw}`) keeps content as it is. `$NAME` and `$(cmd)` are not marks.
 */

import { isAbsolute, join, relative } from 'node:path'
import type { AbortOptions } from '../../../types/index.ts'
import { bytesToUtf8, errorCode, errorMessage } from '../../../utils/index.ts'
import { MAX_EXPANDED_LENGTH, MAX_FILE_BYTES, MAX_MARK_DEPTH, MAX_MARKS } from '../constants.ts'
import type { Finding, Problems } from './problem.ts'
import type { Entry, ScalarNode, SourceNode } from './tree.ts'

/** Where marks get their values. */
export interface MarkSources extends AbortOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Directory of the ensemble file; `${file:…}` reaches nothing outside it. */
  readonly directory: string
  readonly readFile: (path: string, options?: AbortOptions) => Promise<Uint8Array>
}

/** A copy of the tree with all marks replaced. A mark that has no value is reported and left as it is. */
export async function expandMarks(
  root: SourceNode,
  sources: MarkSources,
  problems: Problems
): Promise<SourceNode> {
  const marked = new Map<ScalarNode, string>()
  collect(root, '', marked)
  if (marked.size === 0) return root
  const expander = new Expander(sources)
  const replaced = new Map<SourceNode, SourceNode>()
  for (const [node, path] of marked) {
    sources.signal?.throwIfAborted()
    try {
      const text = await expander.expand(node.source, 0)
      replaced.set(node, { ...node, value: text, source: text })
    } catch (error) {
      if (!(error instanceof MarkFault)) throw error
      problems.error({ span: node.span, path }, error.finding)
    }
  }
  return rebuild(root, replaced)
}

function collect(node: SourceNode, path: string, marked: Map<ScalarNode, string>): void {
  if (node.kind === 'map') {
    for (const [key, { value }] of node.entries) collect(value, path === '' ? key : `${path}.${key}`, marked)
  } else if (node.kind === 'list') {
    node.items.forEach((item, index) => {
      collect(item, `${path}[${index}]`, marked)
    })
  } else if (typeof node.value === 'string' && node.value.includes('${') && !marked.has(node)) {
    marked.set(node, path)
  }
}

function rebuild(node: SourceNode, replaced: Map<SourceNode, SourceNode>): SourceNode {
  const known = replaced.get(node)
  if (known !== undefined) return known
  let made = node
  if (node.kind === 'list') made = { ...node, items: node.items.map(item => rebuild(item, replaced)) }
  if (node.kind === 'map') {
    const pairs = [...node.entries].map(([key, entry]): [string, Entry] => [
      key,
      { ...entry, value: rebuild(entry.value, replaced) }
    ])
    made = { ...node, entries: new Map(pairs) }
  }
  replaced.set(node, made)
  return made
}

/** A mark that cannot be replaced. */
class MarkFault extends Error {
  readonly finding: Finding

  constructor(finding: Finding) {
    super(finding.message)
    this.finding = finding
  }
}

const HINT = `export it before deploying, or give a default as in '\${NAME:-value}'; a variable of the workload's shell is written '$NAME'`

class Expander {
  readonly #sources: MarkSources
  readonly #files = new Map<string, string>()
  #marks = 0
  #produced = 0

  constructor(sources: MarkSources) {
    this.#sources = sources
  }

  async expand(text: string, depth: number): Promise<string> {
    if (depth > MAX_MARK_DEPTH)
      throw new MarkFault({ message: `marks lead to each other more than ${MAX_MARK_DEPTH} times` })
    const parts: string[] = []
    let at = 0
    for (let start = text.indexOf('${'); start >= 0; start = text.indexOf('${', at)) {
      const end = closingBrace(text, start + 2)
      if (end < 0) break
      parts.push(text.slice(at, start), this.#count(await this.#value(text.slice(start + 2, end), depth)))
      at = end + 1
    }
    return parts.join('') + text.slice(at)
  }

  #count(text: string): string {
    this.#marks += 1
    this.#produced += text.length
    if (this.#marks > MAX_MARKS) throw new MarkFault({ message: `more than ${MAX_MARKS} marks` })
    if (this.#produced > MAX_EXPANDED_LENGTH) {
      throw new MarkFault({
        message: `the marks of this file yield more than ${MAX_EXPANDED_LENGTH} characters`
      })
    }
    return text
  }

  async #value(body: string, depth: number): Promise<string> {
    const cut = body.indexOf(':-')
    const [reference = '', ...words] = (cut < 0 ? body : body.slice(0, cut)).split('|')
    const name = (await this.expand(reference, depth + 1)).trim()
    const fallback = cut < 0 ? undefined : body.slice(cut + 2)
    try {
      const found = await this.#lookUp(name, body)
      return words.some(word => word.trim() === 'raw') ? found : await this.expand(found, depth + 1)
    } catch (error) {
      if (!(error instanceof Missing) || fallback === undefined) throw error
      return this.expand(fallback, depth + 1)
    }
  }

  async #lookUp(name: string, body: string): Promise<string> {
    const colon = name.indexOf(':')
    const source = colon < 0 ? 'env' : name.slice(0, colon)
    const key = name.slice(colon + 1)
    if (source === 'env') return this.#environment(key)
    if (source === 'file') return this.#file(key)
    throw new MarkFault({
      expected: `a mark such as '\${NAME}', '\${env:NAME}' or '\${file:PATH}'`,
      message: `found '\${${body.slice(0, 60)}}'`
    })
  }

  #environment(name: string): string {
    const { env } = this.#sources
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    // An empty variable counts as missing (deployment §1.6).
    if (value === undefined || value === '') {
      throw new Missing({ message: `environment variable '${name.slice(0, 60)}' is not set`, hint: HINT })
    }
    return value
  }

  async #file(path: string): Promise<string> {
    const { directory, readFile, signal } = this.#sources
    const full = confine(directory, path)
    const known = this.#files.get(full)
    if (known !== undefined) return known
    const text = decode(path, await readBytes(path, () => readFile(full, { signal })))
    this.#files.set(full, text)
    return text
  }
}

/** A mark without a value, for which a default may stand in. */
class Missing extends MarkFault {}

async function readBytes(path: string, read: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await read()
  } catch (cause) {
    const why = errorCode(cause) === 'ENOENT' ? 'there is no such file' : errorMessage(cause)
    throw new Missing({
      message: `file '${path}' cannot be read: ${why}`,
      hint: 'paths start at the directory of the ensemble file'
    })
  }
}

function decode(path: string, bytes: Uint8Array): string {
  if (bytes.length > MAX_FILE_BYTES)
    throw new MarkFault({ message: `file '${path}' is larger than ${MAX_FILE_BYTES} bytes` })
  try {
    return bytesToUtf8(bytes)
  } catch {
    throw new MarkFault({ message: `file '${path}' is not text in UTF-8` })
  }
}

/**
 * An ensemble file may come from a stranger; what it names must not reach keys elsewhere on this machine. An
 * absolute path is joined too, so it lands under the directory as it does in the existing system.
 */
function confine(directory: string, path: string): string {
  const full = join(directory, path)
  const inside = relative(directory, full)
  if (path.includes('\0') || inside === '' || inside.startsWith('..') || isAbsolute(inside)) {
    throw new MarkFault({
      expected: 'a file in the directory of the ensemble file or below',
      message: `found '${path}'`
    })
  }
  return full
}

/** The `}` that ends the mark whose body begins at `from`, past marks nested in it; -1 when there is none. */
function closingBrace(text: string, from: number): number {
  let open = 1
  for (let at = from; at < text.length; at++) {
    if (text[at] === '}') open -= 1
    else if (text.startsWith('${', at)) open += 1
    if (open === 0) return at
  }
  return -1
}
