/** Logs for the orchestrator (deployment §2.15): in chunks with an offset, or both whole streams in the older form. */

import type { AbortOptions, Clock } from '../../types/index.ts'
import { bytesToBase64, concatBytes } from '../../utils/index.ts'
import type { Allocation } from './allocation.ts'
import { LOG_POLL_MS, MAX_LOG_PAYLOAD_BYTES, MAX_LOG_WAITERS } from './constants.ts'
import { resultsDirectory } from './execution.ts'
import { type LogStream, logPath, pastLogPath } from './past-logs.ts'
import { optionsOf } from './stored.ts'
import { isEnded } from './transitions.ts'
import type { FileRange, JobFiles } from './types.ts'

export interface LogChunkRequest {
  readonly stream: LogStream
  readonly offset: number
  readonly maxBytes: number
  readonly waitMs: number
}

export interface LogChunk {
  readonly data: Uint8Array
  readonly offset: number
  readonly nextOffset: number
  readonly totalBytes: number
  /** Nothing runs that could write more, and this is the end. */
  readonly isEnd: boolean
}

export class LogReader {
  readonly #clock: Clock
  readonly #files: JobFiles
  readonly #workDirectory: string
  #waiters = 0

  constructor(deps: { clock: Clock; files: JobFiles }, options: { workDirectory: string }) {
    this.#clock = deps.clock
    this.#files = deps.files
    this.#workDirectory = options.workDirectory
  }

  /** Output from `offset` on; waits up to `waitMs` for some when there is none yet and more may come. */
  async readChunk(
    allocation: Allocation,
    request: LogChunkRequest,
    { signal }: AbortOptions = {}
  ): Promise<LogChunk> {
    const endMs = this.#clock.monotonicMs() + request.waitMs
    const mayWait = request.waitMs > 0 && this.#waiters < MAX_LOG_WAITERS
    if (mayWait) this.#waiters++
    try {
      for (;;) {
        const chunk = await this.#read(allocation, request)
        const leftMs = endMs - this.#clock.monotonicMs()
        if (!mayWait || chunk.data.length > 0 || chunk.isEnd || leftMs <= 0) return chunk
        await this.#clock.sleep(Math.min(LOG_POLL_MS, leftMs), { signal })
      }
    } finally {
      if (mayWait) this.#waiters--
    }
  }

  /** Both streams, as far as one message holds them: the beginnings, so that a reader can go on behind them. */
  async readWhole(allocation: Allocation): Promise<{ stdout: string; stderr: string; isTruncated: boolean }> {
    const stderr = await this.#fill(allocation, 'stderr', MAX_LOG_PAYLOAD_BYTES / 2)
    const stdout = await this.#fill(allocation, 'stdout', MAX_LOG_PAYLOAD_BYTES - stderr.data.length)
    return {
      stdout: bytesToBase64(stdout.data),
      stderr: bytesToBase64(stderr.data),
      isTruncated: stdout.isCut || stderr.isCut
    }
  }

  async #fill(
    allocation: Allocation,
    stream: LogStream,
    maxBytes: number
  ): Promise<{ data: Uint8Array; isCut: boolean }> {
    const parts: Uint8Array[] = []
    let offset = 0
    let leftBytes = maxBytes
    for (;;) {
      const range = await this.#range(allocation, stream, offset, leftBytes)
      parts.push(range.data)
      offset = range.offset + range.data.length
      leftBytes -= range.data.length
      if (range.data.length > 0 && leftBytes > 0) continue
      return { data: concatBytes(...parts), isCut: offset < range.totalBytes }
    }
  }

  async #read(allocation: Allocation, request: LogChunkRequest): Promise<LogChunk> {
    // Before the read: what was written until the end is then surely seen.
    const hasEnded = isEnded(allocation.record.status)
    const { stream, offset: asked, maxBytes } = request
    const { data, offset, totalBytes } = await this.#range(allocation, stream, asked, maxBytes)
    const nextOffset = offset + data.length
    return { data, offset, nextOffset, totalBytes, isEnd: hasEnded && nextOffset >= totalBytes }
  }

  /** From the first byte that is still there at or behind `offset`; never over the border between two executions. */
  async #range(
    allocation: Allocation,
    stream: LogStream,
    offset: number,
    maxBytes: number
  ): Promise<FileRange & { readonly offset: number }> {
    const directory = resultsDirectory(this.#workDirectory, allocation.id)
    const past = optionsOf(allocation.record).pastLogs?.[stream] ?? { droppedBytes: 0, keptBytes: 0 }
    const border = past.droppedBytes + past.keptBytes
    const begin = Math.max(offset, past.droppedBytes)
    if (begin < border) {
      const length = Math.min(maxBytes, border - begin)
      const path = pastLogPath(directory, stream)
      const { data } = await this.#files.readRange(path, begin - past.droppedBytes, length)
      const { totalBytes } = await this.#files.readRange(logPath(directory, stream), 0, 0)
      if (data.length > 0) return { data, totalBytes: border + totalBytes, offset: begin }
    }
    const from = Math.max(begin, border)
    const { data, totalBytes } = await this.#files.readRange(
      logPath(directory, stream),
      from - border,
      maxBytes
    )
    return { data, totalBytes: border + totalBytes, offset: from }
  }
}
