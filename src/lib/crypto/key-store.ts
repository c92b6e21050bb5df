/** Keys sealed in files, one per key, `<directory>/<name>.json` (§3.1). */

import type { AbortOptions, FileStore, RandomSource } from '../../types/index.ts'
import { bytesToUtf8, childPath, raceSignal, utf8ToBytes } from '../../utils/index.ts'
import { KeyStoreError } from './errors.ts'
import { sealKey, unsealKey } from './key-file.ts'
import type { KeyStore, PrivateKey } from './types.ts'

const SUFFIX = '.json'
const FILE_MODE = 0o600

/** A key store over a directory, which is made when the first key is saved. Files have mode 0600. */
export function createKeyStore(
  deps: { files: FileStore; random: RandomSource },
  options: { directory: string }
): KeyStore {
  return new FileKeyStore(deps.files, deps.random, options.directory)
}

class FileKeyStore implements KeyStore {
  readonly #files: FileStore
  readonly #random: RandomSource
  readonly #directory: string

  constructor(files: FileStore, random: RandomSource, directory: string) {
    this.#files = files
    this.#random = random
    this.#directory = directory
  }

  async list(): Promise<string[]> {
    const names = await this.#files.list(this.#directory)
    return names
      .filter(name => name.endsWith(SUFFIX) && name !== SUFFIX)
      .map(name => name.slice(0, -SUFFIX.length))
  }

  async exists(name: string): Promise<boolean> {
    return (await this.#files.read(this.#path(name))) !== undefined
  }

  async open(name: string, passphrase: string, { signal }: AbortOptions = {}): Promise<PrivateKey> {
    signal?.throwIfAborted()
    const content = await this.#files.read(this.#path(name))
    if (content === undefined) {
      throw new KeyStoreError('KEY_NOT_FOUND', `there is no key '${name}'`, {
        hint: `make one with 'nunet key new ${name}'`,
        details: { name }
      })
    }
    signal?.throwIfAborted() // here again, so that no rejection of the derivation is left without listener
    // The derivation runs on the thread pool and cannot be stopped; a caller who aborts does not wait for it.
    try {
      return await raceSignal(unsealKey(decode(content), passphrase), signal)
    } catch (error) {
      throw inFile(error, this.#path(name))
    }
  }

  async save(
    name: string,
    key: PrivateKey,
    passphrase: string,
    { signal }: AbortOptions = {}
  ): Promise<void> {
    const path = this.#path(name)
    signal?.throwIfAborted()
    const text = await raceSignal(sealKey(name, key, passphrase, this.#random), signal)
    await using _lock = await this.#files.lock(path, { signal })
    await this.#files.writeAtomic(path, utf8ToBytes(text), { mode: FILE_MODE })
  }

  async remove(name: string, passphrase: string, options: AbortOptions = {}): Promise<void> {
    const path = this.#path(name)
    await using _lock = await this.#files.lock(path, options)
    await this.open(name, passphrase, options)
    await this.#files.remove(path)
  }

  #path(name: string): string {
    return childPath(this.#directory, `${name}${SUFFIX}`)
  }
}

/** Names the file in what is wrong with the file, not in what is wrong with the passphrase. */
function inFile(error: unknown, path: string): unknown {
  if (!(error instanceof KeyStoreError)) return error
  if (error.code !== 'KEY_FILE_CORRUPT' && error.code !== 'KEY_FILE_UNSUPPORTED') return error
  return new KeyStoreError(error.code, `${error.message} (in '${path}')`, {
    cause: error,
    details: { ...error.details, path },
    hint: error.hint
  })
}

function decode(content: Uint8Array): string {
  try {
    return bytesToUtf8(content)
  } catch (cause) {
    throw new KeyStoreError('KEY_FILE_CORRUPT', 'the key file is damaged: it is not text', {
      cause,
      hint: 'restore it from a backup'
    })
  }
}
