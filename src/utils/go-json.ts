/**
 * JSON as Go's `encoding/json` reads and writes it, where signatures depend on it (identity-and-actors §0.3):
 * 64-bit integers exact, `<`, `>`, `&`, U+2028 and U+2029 escaped, member names matched without regard to case,
 * the last duplicate wins. Only the border of signed formats uses this; everything else uses `JSON`.
 */

import { SyntaxFault } from './error.ts'

/** A JSON value whose integers are exact: integer literals become `bigint`, other numbers `number`. */
export type GoJsonValue = null | boolean | bigint | number | string | GoJsonValue[] | GoJsonObject

/** Members by name as written. A `Map` because names come from strangers. */
export type GoJsonObject = Map<string, GoJsonValue>

/** Bounds of the reader. Text over a bound is refused before it costs memory or stack. */
export interface GoJsonLimits {
  /** UTF-16 units of input. */
  maxLength: number
  /** Nesting of objects and arrays. */
  maxDepth: number
}

/** Quotes a string as Go does with HTML escaping on. Lone surrogates become U+FFFD. */
export function goJsonString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(/\\\\|[<>&\u2028\u2029]|\\[bf]/g, escapeForGo)
}

function escapeForGo(found: string): string {
  if (found === '\\\\') return found
  if (found === '\\b') return '\\u0008'
  if (found === '\\f') return '\\u000c'
  return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Parses `text`. @throws SyntaxFault with the position for malformed input or input over a limit. */
export function parseGoJson(text: string, limits: GoJsonLimits): GoJsonValue {
  if (text.length > limits.maxLength)
    throw new SyntaxFault(`JSON text is longer than ${limits.maxLength} characters`)
  const reader = new Reader(text, limits.maxDepth)
  return reader.document()
}

/**
 * A member of an object without regard to the case of its name. Of several the last in the text wins, an exact
 * match has no precedence: Go assigns them one after another.
 */
export function goMember(object: GoJsonObject, name: string): GoJsonValue | undefined {
  const folded = name.toLowerCase()
  let found: GoJsonValue | undefined
  for (const [key, value] of object) if (key.toLowerCase() === folded) found = value
  return found
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside strings (RFC 8259 §7)
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y

/**
 * Characters of one string: the longest token a person may give, every character of it escaped, is shorter. Of some seven
 * million the regular expression runs out of the engine's stack.
 */
const MAX_STRING_LENGTH = 4_194_304

/** Digits of a number; 20 are needed for 64 bits. */
const MAX_NUMBER_LENGTH = 400

const SPACE = /[ \t\r\n]*/y

class Reader {
  readonly #text: string
  readonly #maxDepth: number
  #at = 0

  constructor(text: string, maxDepth: number) {
    this.#text = text
    this.#maxDepth = maxDepth
  }

  document(): GoJsonValue {
    const value = this.#value(0)
    this.#space()
    if (this.#at !== this.#text.length) this.#fail('end of text')
    return value
  }

  #value(depth: number): GoJsonValue {
    this.#space()
    const next = this.#text[this.#at]
    if (next === '{') return this.#object(depth + 1)
    if (next === '[') return this.#array(depth + 1)
    if (next === '"') return this.#string()
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null]
    ] as const) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length
        return value
      }
    }
    return this.#number()
  }

  #object(depth: number): GoJsonObject {
    this.#enter(depth)
    const members: GoJsonObject = new Map()
    if (this.#closes('}')) return members
    for (;;) {
      this.#space()
      const name = this.#string()
      this.#space()
      this.#expect(':')
      const value = this.#value(depth)
      members.delete(name) // so that the last one also stands last
      members.set(name, value)
      if (this.#closes('}')) return members
      this.#expect(',')
    }
  }

  #array(depth: number): GoJsonValue[] {
    this.#enter(depth)
    const items: GoJsonValue[] = []
    if (this.#closes(']')) return items
    for (;;) {
      items.push(this.#value(depth))
      if (this.#closes(']')) return items
      this.#expect(',')
    }
  }

  #string(): string {
    const isShort = this.#text.length <= MAX_STRING_LENGTH
    STRING.lastIndex = isShort ? this.#at : 0
    // A piece of a text is no copy of it.
    const match = STRING.exec(isShort ? this.#text : this.#text.slice(this.#at, this.#at + MAX_STRING_LENGTH))
    if (match === null) return this.#fail(isShort ? 'a string' : 'a string, and not too long a one,')
    this.#at += match[0].length
    // A lone surrogate escape reads as U+FFFD, as in Go.
    return (JSON.parse(match[0]) as string).toWellFormed() // a JSON string literal always parses to a string
  }

  #number(): bigint | number {
    NUMBER.lastIndex = this.#at
    const match = NUMBER.exec(this.#text)
    if (match === null) return this.#fail('a value')
    // A number without a meaning, and one whose conversion takes long, are refused; so does Go.
    const isInteger = match[1] === undefined && match[2] === undefined
    if (match[0].length > MAX_NUMBER_LENGTH || (!isInteger && !Number.isFinite(Number(match[0])))) {
      return this.#fail('a number in range')
    }
    this.#at += match[0].length
    return isInteger ? BigInt(match[0]) : Number(match[0])
  }

  #enter(depth: number): void {
    if (depth > this.#maxDepth) throw new SyntaxFault(`JSON is nested deeper than ${this.#maxDepth}`)
    this.#at++
  }

  #closes(bracket: string): boolean {
    this.#space()
    if (this.#text[this.#at] !== bracket) return false
    this.#at++
    return true
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) this.#fail(`'${character}'`)
    this.#at++
  }

  #space(): void {
    SPACE.lastIndex = this.#at
    this.#at += SPACE.exec(this.#text)?.[0].length ?? 0
  }

  #fail(expected: string): never {
    throw new SyntaxFault(`expected ${expected} at position ${this.#at} of the JSON text`)
  }
}
