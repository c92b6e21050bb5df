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
import { STDERR_LOG, STDOUT_LOG } from '../constants.ts'
import { Demultiplexer, type OutputStream } from './demultiplexer.ts'
import type { Engine } from './engine.ts'

const STREAMS = ['stdout', 'stderr'] as const
const FILE_NAMES: Readonly<Record<OutputStream, string>> = { stdout: STDOUT_LOG, stderr: STDERR_LOG }

/** Log files are the owner's alone: output may hold secrets. */
const FILE_MODE = 0o600

class LogFile {
  readonly #file: FileHandle
  readonly #maxBytes: number
  #size: number
  /** Bytes of the container's stream still to pass over in this reading. */
  #skip = 0

  constructor(file: FileHandle, size: number, maxBytes: number) {
    this.#file = file
    this.#maxBytes = maxBytes
    this.#size = size
  }

  get isFull(): boolean {
    return this.#size >= this.#maxBytes
  }

  restart(): void {
    this.#skip = this.#size
  }

  async append(bytes: Buffer): Promise<void> {
    const skipped = Math.min(this.#skip, bytes.length)
    this.#skip -= skipped
    const fresh = bytes.subarray(skipped, skipped + Math.max(0, this.#maxBytes - this.#size))
    if (fresh.length === 0) return
    await this.#file.appendFile(fresh)
    this.#size += fresh.length
  }

  async close(): Promise<void> {
    await this.#file.close()
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
    for (const stream of STREAMS) this.#files[stream].restart()
    try {
      for await (const chunk of response) {
        received += chunk.length
        await this.#write(demultiplexer, chunk)
        if (this.isFull) return received // leaving the loop ends the stream: nothing more would be kept
      }
      return received
    } catch (error) {
      throw this.#engine.streamError(error, signal)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(STREAMS.map(stream => this.#files[stream].close()))
  }

  /** Both files hold as much as they may: there is nothing left to read. */
  get isFull(): boolean {
    return STREAMS.every(stream => this.#files[stream].isFull)
  }

  /** One write per stream and chunk, however many frames the chunk holds. */
  async #write(demultiplexer: Demultiplexer, chunk: Buffer): Promise<void> {
    const parts = demultiplexer.push(chunk)
    for (const stream of STREAMS) {
      const own = parts.filter(part => part.stream === stream).map(part => part.bytes)
      if (own.length > 0) await this.#files[stream].append(Buffer.concat(own))
    }
  }
}

async function openLog(path: string, maxBytes: number): Promise<LogFile> {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW
  const file = await open(path, flags, FILE_MODE)
  return new LogFile(file, (await file.stat()).size, maxBytes)
}
