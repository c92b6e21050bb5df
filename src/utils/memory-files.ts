/** Files in memory behind the `FileStore` contract, for simulation and fast tests. */

import { dirname } from 'node:path'
import type { AbortOptions, FileLock, FileStore } from '../types/index.ts'
import { raceSignal } from './abort.ts'
import { Mutex } from './mutex.ts'

/** A `FileStore` without a disk. Locks work inside one instance. */
export class MemoryFiles implements FileStore {
  readonly #files = new Map<string, Uint8Array>()
  readonly #locks = new Map<string, Mutex>()

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.#files.get(path)?.slice()
  }

  async writeAtomic(path: string, content: Uint8Array): Promise<void> {
    this.#files.set(path, content.slice())
  }

  async list(directory: string): Promise<string[]> {
    const inside = [...this.#files.keys()].filter(path => dirname(path) === directory)
    return inside.map(path => path.slice(directory.length + 1)).sort()
  }

  async remove(path: string): Promise<void> {
    this.#files.delete(path)
  }

  async lock(path: string, { signal }: AbortOptions = {}): Promise<FileLock> {
    signal?.throwIfAborted()
    const mutex = this.#locks.get(path) ?? new Mutex()
    this.#locks.set(path, mutex)
    let end = (): void => undefined
    const released = new Promise<void>(resolve => {
      end = resolve
    })
    const acquired = new Promise<void>(resolve => {
      void mutex.run(async () => {
        resolve()
        await released
      })
    })
    const release = async (): Promise<void> => end()
    try {
      await raceSignal(acquired, signal)
    } catch (error) {
      await release() // its turn, when it comes, is over at once
      throw error
    }
    return { release, [Symbol.asyncDispose]: release }
  }
}
