/**
 * Looks into a WebAssembly binary without compiling it (core specification §5.5): what it imports and exports,
 * and which memories it has. Run after `WebAssembly.validate`, yet every read is bounds-checked: the bytes come
 * from strangers.
 */

import { MAX_TABLES } from './constants.ts'
import { WASI_FUNCTIONS, WASI_MODULE } from './wasi/constants.ts'

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]

/** Section ids (§5.5.2). */
const IMPORT_SECTION = 2
const TABLE_SECTION = 4
const MEMORY_SECTION = 5
const EXPORT_SECTION = 7

/** Kinds of imports and exports (§5.5.5). */
const FUNCTION_KIND = 0
const MEMORY_KIND = 2

/** Most problems told at once. */
const MAX_PROBLEMS = 8

class Reader {
  readonly #bytes: Uint8Array
  #at: number
  readonly #end: number

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end
  }

  byte(): number {
    const value = this.#bytes[this.#at++]
    if (value === undefined || this.#at > this.#end) throw new RangeError('the module is cut off')
    return value
  }

  /** Unsigned LEB128 of at most 32 bits (§5.2.2). */
  u32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if ((byte & 0x80) === 0) return value
    }
    throw new RangeError('a number is too long')
  }

  name(): string {
    const part = this.slice(this.u32())
    return Buffer.from(part.#bytes.subarray(part.#at, part.#end)).toString('utf8')
  }

  slice(length: number): Reader {
    const start = this.#at
    if (length > this.#end - start) throw new RangeError('the module is cut off')
    this.#at += length
    return new Reader(this.#bytes, start, start + length)
  }
}

/** What keeps a module from being run here, one line each; empty when nothing does. */
export function moduleProblems(bytes: Uint8Array): string[] {
  if (!MAGIC.every((byte, index) => bytes[index] === byte)) {
    return ['it is no WebAssembly module: it does not start with the bytes 00 61 73 6d 01 00 00 00']
  }
  if (!WebAssembly.validate(new Uint8Array(bytes))) return ['it is no valid WebAssembly module']
  try {
    return sectionProblems(new Reader(bytes, MAGIC.length)).slice(0, MAX_PROBLEMS)
  } catch {
    return ['it is no valid WebAssembly module']
  }
}

function sectionProblems(module: Reader): string[] {
  const problems: string[] = []
  let exported: Exports = { hasStart: false, hasMemory: false }
  while (!module.isAtEnd) {
    const id = module.byte()
    const section = module.slice(module.u32())
    if (id === IMPORT_SECTION) problems.push(...importProblems(section))
    if (id === TABLE_SECTION && section.u32() > MAX_TABLES)
      problems.push(`it has more than ${MAX_TABLES} tables`)
    if (id === MEMORY_SECTION) problems.push(...memoryProblems(section))
    if (id === EXPORT_SECTION) exported = readExports(section)
  }
  if (!exported.hasStart)
    problems.push("it exports no function '_start': build it as a command for the target 'wasm32-wasi'")
  if (!exported.hasMemory) problems.push("it exports no memory named 'memory'")
  return problems
}

function importProblems(section: Reader): string[] {
  const problems: string[] = []
  for (let left = section.u32(); left > 0; left--) {
    const module = section.name()
    const name = section.name()
    const label = `'${printable(module)}.${printable(name)}'`
    if (section.byte() !== FUNCTION_KIND) {
      problems.push(`it imports ${label}, which is not a function`)
      return problems // what follows cannot be read without knowing every type of the language
    }
    section.u32()
    if (module !== WASI_MODULE) problems.push(`it imports ${label}; only '${WASI_MODULE}' is there to import`)
    else if (!WASI_FUNCTIONS.has(name))
      problems.push(`it imports ${label}, which is no function of WASI preview 1`)
    if (problems.length >= MAX_PROBLEMS) return problems
  }
  return problems
}

/** One plain 32-bit memory: the memory limit holds for each memory, so two would get double. */
function memoryProblems(section: Reader): string[] {
  const count = section.u32()
  if (count > 1) return ['it has more than one memory']
  if (count === 1 && section.byte() > 1)
    return ['its memory is shared or 64-bit, expected a plain 32-bit memory']
  return []
}

interface Exports {
  readonly hasStart: boolean
  readonly hasMemory: boolean
}

function readExports(section: Reader): Exports {
  let hasStart = false
  let hasMemory = false
  for (let left = section.u32(); left > 0; left--) {
    const name = section.name()
    const kind = section.byte()
    section.u32()
    hasStart ||= name === '_start' && kind === FUNCTION_KIND
    hasMemory ||= name === 'memory' && kind === MEMORY_KIND
  }
  return { hasStart, hasMemory }
}

/** Names are a stranger's text: cut, and without control characters. */
function printable(text: string): string {
  return text.slice(0, 64).replace(/[^\x20-\x7e]/g, '?')
}
