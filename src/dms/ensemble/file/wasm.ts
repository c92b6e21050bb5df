/**
 * Brings a WASM module into the ensemble: the provider has no access to the files of the client, so the module
 * travels inside, compressed. `module` is a path beside the ensemble file, or a `data:` URL.
 */

import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { AbortOptions } from '../../../types/index.ts'
import { base64ToBytes, bytesToBase64, errorCode, errorMessage } from '../../../utils/index.ts'
import { MAX_MODULE_BYTES } from '../constants.ts'
import type { Field } from './field.ts'

const compress = promisify(gzip)
const DATA_URL = 'data:application/wasm;base64,'
const EXPECTED = "the path of a WASM module, from the directory of this file, such as './app.wasm'"

/** A module as it travels in `execution.params`. */
export interface PackedModule {
  /** Base64 of the gzip-compressed module. */
  readonly module_gz: string
  readonly module_name: string
}

/** Reads modules and packs each once, however many allocations run it. */
export class ModulePacker {
  readonly #directory: string
  readonly #readFile: (path: string, options?: AbortOptions) => Promise<Uint8Array>
  readonly #signal: AbortSignal | undefined
  readonly #packed = new Map<string, Promise<string>>()

  constructor(options: {
    directory: string
    readFile: (path: string, options?: AbortOptions) => Promise<Uint8Array>
    signal?: AbortSignal | undefined
  }) {
    this.#directory = options.directory
    this.#readFile = options.readFile
    this.#signal = options.signal
  }

  /** The module a field names, or `undefined` after reporting why not. */
  async pack(field: Field): Promise<PackedModule | undefined> {
    if (!field.required(EXPECTED)) return undefined
    const reference = field.text(EXPECTED)
    if (reference === undefined) return undefined
    const isData = reference.startsWith('data:')
    const bytes = isData ? this.#fromDataUrl(reference, field) : await this.#fromFile(reference, field)
    if (bytes === undefined || !isModule(bytes, field)) return undefined
    const key = isData ? reference : resolve(this.#directory, reference)
    const packed = this.#packed.get(key) ?? compress(bytes, { level: 9 }).then(bytesToBase64)
    this.#packed.set(key, packed)
    return {
      module_gz: await packed,
      module_name: isData ? 'module.wasm' : (reference.split(/[\\/]/).at(-1) ?? reference)
    }
  }

  #fromDataUrl(reference: string, field: Field): Uint8Array | undefined {
    const expected = `a module as '${DATA_URL}…'`
    if (!reference.startsWith(DATA_URL)) return field.fail(expected)
    try {
      return base64ToBytes(reference.slice(DATA_URL.length).replace(/\s/g, ''))
    } catch {
      return field.fail(expected, 'the text after the comma must be standard base64 with padding')
    }
  }

  async #fromFile(reference: string, field: Field): Promise<Uint8Array | undefined> {
    try {
      return await this.#readFile(resolve(this.#directory, reference), { signal: this.#signal })
    } catch (cause) {
      this.#signal?.throwIfAborted()
      const why = errorCode(cause) === 'ENOENT' ? 'there is no such file' : errorMessage(cause)
      return field.fail(EXPECTED, `'${reference}' cannot be read: ${why}`)
    }
  }
}

/** `\0asm` (WebAssembly core specification §5.5.16). Keeps files that are no modules from leaving this machine. */
function isModule(bytes: Uint8Array, field: Field): boolean {
  if (bytes[0] !== 0 || bytes[1] !== 0x61 || bytes[2] !== 0x73 || bytes[3] !== 0x6d) {
    field.fail(
      'a compiled WASM module',
      "its content does not begin with '\\0asm'; text form (.wat) must be compiled first"
    )
    return false
  }
  if (bytes.length > MAX_MODULE_BYTES) {
    field.fail(`a module of at most ${MAX_MODULE_BYTES} bytes`, `it has ${bytes.length} bytes`)
    return false
  }
  return true
}
