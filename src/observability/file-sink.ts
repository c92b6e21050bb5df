/**
 * The log file: appends lines, starts a new file when it is full, removes old ones. Writes are synchronous: a
 * line costs a few microseconds, and the last lines before a crash are the ones that matter.
 */

import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync
} from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import type { Clock } from '../types/index.ts'
import { isoTime } from '../utils/index.ts'
import { SINK_RETRY_MS } from './constants.ts'

const DAY_MS = 86_400_000

/** What the file sink needs from outside. */
export interface FileSinkDeps {
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>
  /** Told when the file stops taking lines, once per outage; the place to warn on the terminal. */
  readonly onError?: (error: unknown) => void
}

/** Settings of the log file; the numbers are those of `observability.logging.rotation`. */
export interface FileSinkOptions {
  readonly path: string
  /** Size at which a new file is begun. */
  readonly maxSizeBytes: number
  /** Old files kept; 0 keeps all that are young enough. */
  readonly maxBackups: number
  /** Age after which an old file is removed; 0 means never. */
  readonly maxAgeDays: number
}

/** A place for lines that can be closed. `write` never throws. */
export interface LogSink extends Disposable {
  write(line: string): void
  /** Lines lost because the file could not be written. */
  readonly lostLines: number
  close(): void
}

/** Opens the file with the first line. Directories are made with mode 0700, files with 0600. */
export function createFileSink(deps: FileSinkDeps, options: FileSinkOptions): LogSink {
  return new FileSink(deps, options)
}

interface OpenFile {
  readonly descriptor: number
  size: number
  /** A pipe or a terminal is not rotated. */
  readonly rotates: boolean
}

class FileSink implements LogSink {
  readonly #deps: FileSinkDeps
  readonly #options: FileSinkOptions
  #file: OpenFile | undefined
  #retryAtMs = Number.NEGATIVE_INFINITY
  #lost = 0
  #closed = false

  constructor(deps: FileSinkDeps, options: FileSinkOptions) {
    this.#deps = deps
    this.#options = options
  }

  get lostLines(): number {
    return this.#lost
  }

  write(line: string): void {
    if (this.#closed || this.#deps.clock.monotonicMs() < this.#retryAtMs) {
      this.#lost++
      return
    }
    try {
      this.#append(Buffer.from(`${line}\n`))
      this.#retryAtMs = Number.NEGATIVE_INFINITY
    } catch (error) {
      this.#giveUpForNow(error)
    }
  }

  close(): void {
    this.#closed = true
    this.#closeFile()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #append(bytes: Uint8Array): void {
    let file = this.#file ?? this.#open()
    if (file.rotates && file.size > 0 && file.size + bytes.length > this.#options.maxSizeBytes) {
      this.#rotate()
      file = this.#open()
    }
    for (let written = 0; written < bytes.length; ) {
      const count = writeSync(file.descriptor, bytes, written)
      written += count
      file.size += count
    }
  }

  #open(): OpenFile {
    const { path } = this.#options
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    // O_NONBLOCK: a named pipe without a reader must not stop the daemon for ever.
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NONBLOCK
    const descriptor = openSync(path, flags, 0o600)
    const facts = fstatSync(descriptor)
    const file = { descriptor, size: facts.size, rotates: facts.isFile() }
    this.#file = file
    return file
  }

  #rotate(): void {
    this.#closeFile()
    const { directory, stem, extension } = nameParts(this.#options.path)
    const stamp = isoTime(this.#deps.clock.nowMs()).replaceAll(':', '-')
    renameSync(this.#options.path, join(directory, `${stem}-${stamp}${extension}`))
    this.#prune()
  }

  #prune(): void {
    const { maxBackups, maxAgeDays, path } = this.#options
    const { directory } = nameParts(path)
    const oldestMs =
      maxAgeDays > 0 ? this.#deps.clock.nowMs() - maxAgeDays * DAY_MS : Number.NEGATIVE_INFINITY
    const backups = listBackups(path)
    const surplus = backups.filter(
      ({ atMs }, index) => atMs < oldestMs || (maxBackups > 0 && index >= maxBackups)
    )
    for (const { name } of surplus) rmSync(join(directory, name), { force: true })
  }

  #closeFile(): void {
    const file = this.#file
    this.#file = undefined
    if (file === undefined) return
    try {
      closeSync(file.descriptor)
    } catch {
      // Nothing is buffered here, so nothing is lost.
    }
  }

  #giveUpForNow(error: unknown): void {
    const isNew = this.#retryAtMs === Number.NEGATIVE_INFINITY
    this.#lost++
    this.#retryAtMs = this.#deps.clock.monotonicMs() + SINK_RETRY_MS
    this.#closeFile()
    if (isNew) this.#deps.onError?.(error)
  }
}

function nameParts(path: string): { directory: string; stem: string; extension: string } {
  const extension = extname(path)
  return { directory: dirname(path), stem: basename(path, extension), extension }
}

/** Rotated files of this log, newest first. Other files of the directory are never touched. */
function listBackups(path: string): { name: string; atMs: number }[] {
  const { directory, stem, extension } = nameParts(path)
  return readdirSync(directory)
    .filter(name => name.startsWith(`${stem}-`) && name.endsWith(extension))
    .map(name => ({ name, atMs: stampMs(name.slice(stem.length + 1, name.length - extension.length)) }))
    .filter(({ atMs }) => !Number.isNaN(atMs))
    .sort((a, b) => b.atMs - a.atMs)
}

/** `2026-01-31T12-30-45.678Z` to milliseconds; NaN for any other text. */
function stampMs(stamp: string): number {
  const match = /^(\d{4}-\d\d-\d\dT)(\d\d)-(\d\d)-(\d\d\.\d{3}Z)$/.exec(stamp)
  return match ? Date.parse(`${match[1]}${match[2]}:${match[3]}:${match[4]}`) : Number.NaN
}
