/** Logs for the orchestrator (deployment §2.15): in chunks with an offset, or both whole streams in the older form. */

import { join } from 'node:path'
import { STDERR_LOG, STDOUT_LOG } from '../../executor/index.ts'
import type { AbortOptions, Clock } from '../../types/index.ts'
import { bytesToBase64 } from '../../utils/index.ts'
import type { Allocation } from './allocation.ts'
import { LOG_POLL_MS, MAX_LOG_PAYLOAD_BYTES, MAX_LOG_WAITERS } from './constants.ts'
import { resultsDirectory } from './execution.ts'
import { isEnded } from './transitions.ts'
import type { FileRange, JobFiles } from './types.ts'

export type LogStream = 'stdout' | 'stderr'

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
    const stderr = await this.#range(allocation, 'stderr', 0, MAX_LOG_PAYLOAD_BYTES / 2)
    const stdout = await this.#range(allocation, 'stdout', 0, MAX_LOG_PAYLOAD_BYTES - stderr.data.length)
    return {
      stdout: bytesToBase64(stdout.data),
      stderr: bytesToBase64(stderr.data),
      isTruncated: stdout.data.length < stdout.totalBytes || stderr.data.length < stderr.totalBytes
    }
  }

  async #read(allocation: Allocation, request: LogChunkRequest): Promise<LogChunk> {
    // Before the read: what was written until the end is then surely seen.
    const hasEnded = isEnded(allocation.record.status)
    const { data, totalBytes } = await this.#range(
      allocation,
      request.stream,
      request.offset,
      request.maxBytes
    )
    const nextOffset = request.offset + data.length
    return {
      data,
      offset: request.offset,
      nextOffset,
      totalBytes,
      isEnd: hasEnded && nextOffset >= totalBytes
    }
  }

  async #range(
    allocation: Allocation,
    stream: LogStream,
    offset: number,
    maxBytes: number
  ): Promise<FileRange> {
    const name = stream === 'stdout' ? STDOUT_LOG : STDERR_LOG
    const path = join(resultsDirectory(this.#workDirectory, allocation.id), name)
    return await this.#files.readRange(path, offset, maxBytes)
  }
}
