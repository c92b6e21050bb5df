/**
 * Copies the output of a container into the log files of its execution.
 *
 * The files always hold the beginning of the container's own log, so their sizes alone say how much of it to
 * skip: after a restart of the daemon, or of the engine, the log is read again from its start and what is there
 * already is passed over. No hole, no double, nothing to store.
 * NOTE: should the engine have rotated the start of its log away meanwhile (see `LOG_MAX_SIZE`), the lost part
 * is missing here too.
 */

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { AbortOptions } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import { STDERR_LOG, STDOUT_LOG } from '../constants.ts'
import { Demultiplexer, type OutputStream } from './demultiplexer.ts'
import type { Engine } from './engine.ts'

const FILE_NAMES: Readonly<Record<OutputStream, string>> = { stdout: STDOUT_LOG, stderr: STDERR_LOG }

/** Log files are the owner's alone: output may hold secrets. */
const FILE_MODE = 0o600

/** Output that waits to be written; above it the reading of the stream waits, and so does the engine. */
const MAX_PENDING_BYTES = 2 ** 20

/**
 * One log file. The engine sends each line in a chunk of its own, so what arrives while a write is under way is
 * gathered and written in one piece.
 */
class LogFile {
  readonly #file: FileHandle
  readonly #maxBytes: number
  /** Bytes of the container's stream taken so far, written or pending. */
  #size: number
  /** Bytes of it still to pass over in this reading. */
  #skip = 0
  #pending: Buffer[] = []
  #pendingBytes = 0
  #writing: Promise<void> | undefined

  constructor(file: FileHandle, size: number, maxBytes: number) {
    this.#file = file
    this.#maxBytes = maxBytes
    this.#size = size
  }

  get isFull(): boolean {
    return this.#size >= this.#maxBytes
  }

  get isBusy(): boolean {
    return this.#pendingBytes >= MAX_PENDING_BYTES
  }

  restart(): void {
    this.#skip = this.#size
  }

  append(bytes: Buffer): void {
    const skipped = Math.min(this.#skip, bytes.length)
    this.#skip -= skipped
    const fresh = bytes.subarray(skipped, skipped + Math.max(0, this.#maxBytes - this.#size))
    if (fresh.length === 0) return
    this.#pending.push(fresh)
    this.#pendingBytes += fresh.length
    this.#size += fresh.length
    if (this.#writing === undefined) {
      this.#writing = this.#write()
      this.#writing.catch(() => undefined) // thrown by the next flush
    }
  }

  /** Resolves when everything taken is in the file. @throws the file system's error, now and ever after. */
  async flush(): Promise<void> {
    await this.#writing
  }

  async close(): Promise<void> {
    await this.#writing?.catch(() => undefined)
    await this.#file.close()
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending
      this.#pending = []
      this.#pendingBytes = 0
      await this.#file.appendFile(
        batch.length === 1 && batch[0] !== undefined ? batch[0] : Buffer.concat(batch)
      )
    }
    this.#writing = undefined
  }
}

/** The two log files of one execution. Opened once, read into as often as need be, closed by their owner. */
export class LogFollower implements AsyncDisposable {
  readonly #engine: Engine
  readonly #containerId: string
  readonly #files: Readonly<Record<OutputStream, LogFile>>

  private constructor(engine: Engine, containerId: string, files: Readonly<Record<OutputStream, LogFile>>) {
    this.#engine = engine
    this.#containerId = containerId
    this.#files = files
  }

  static async open(
    engine: Engine,
    containerId: string,
    { resultsDirectory, maxLogBytes }: { resultsDirectory: string; maxLogBytes: number }
  ): Promise<LogFollower> {
    const stdout = await openLog(join(resultsDirectory, FILE_NAMES.stdout), maxLogBytes)
    try {
      return new LogFollower(engine, containerId, {
        stdout,
        stderr: await openLog(join(resultsDirectory, FILE_NAMES.stderr), maxLogBytes)
      })
    } catch (error) {
      await stdout.close()
      throw error
    }
  }

  /** Reads the container's log from its start; with `follow` until the container ends. Returns how many bytes came. */
  async read(follow: boolean, { signal }: AbortOptions): Promise<number> {
    let received = 0
    if (this.isFull) return received
    const response = await this.#engine.logs(this.#containerId, follow, { signal })
    const demultiplexer = new Demultiplexer()
    for (const file of this.#all) file.restart()
    try {
      for await (const chunk of response) {
        received += chunk.length
        for (const { stream, bytes } of demultiplexer.push(chunk)) this.#files[stream].append(bytes)
        if (this.isFull) break // leaving the loop ends the stream: nothing more would be kept
        if (this.#all.some(file => file.isBusy)) await this.#flush()
      }
    } catch (error) {
      throw error instanceof LogWriteError ? error : this.#engine.streamError(error, signal)
    }
    await this.#flush()
    return received
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map(file => file.close()))
  }

  /** Both files hold as much as they may: there is nothing left to read. */
  get isFull(): boolean {
    return this.#all.every(file => file.isFull)
  }

  get #all(): readonly LogFile[] {
    return [this.#files.stdout, this.#files.stderr]
  }

  async #flush(): Promise<void> {
    try {
      await Promise.all(this.#all.map(file => file.flush()))
    } catch (cause) {
      throw new LogWriteError(errorMessage(cause), { cause })
    }
  }
}

/** The disk, not the engine, failed: trying again at once would not help. */
class LogWriteError extends Error {
  override readonly name = 'LogWriteError'
}

async function openLog(path: string, maxBytes: number): Promise<LogFile> {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW
  const file = await open(path, flags, FILE_MODE)
  return new LogFile(file, (await file.stat()).size, maxBytes)
}
