import type { AbortOptions } from './abort.ts'

/** A held lock. `release` may be called twice. */
export interface FileLock extends AsyncDisposable {
  release(): Promise<void>
}

/**
 * The few file operations the key store and the capability store need. Implementations: the local disk, and
 * memory for simulation. Paths are absolute.
 */
export interface FileStore {
  /** The content, or `undefined` when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>
  /**
   * Replaces the file in one step: temporary file beside it, fsync, rename. Missing parent directories are made
   * with mode 0700. After a crash either the old or the new content is there, never a mixture.
   */
  writeAtomic(path: string, content: Uint8Array, options?: { mode?: number }): Promise<void>
  /** File names (not paths) in a directory, sorted; empty when it does not exist. */
  list(directory: string): Promise<string[]>
  /** Removes a file; a missing one is no error. */
  remove(path: string): Promise<void>
  /** Waits for the exclusive lock of `path`, shared between processes. A lock whose holder died is taken over. */
  lock(path: string, options?: AbortOptions): Promise<FileLock>
}
