/**
 * Output of allocations as the orchestrator sees it: fetched from the provider in pieces while an allocation
 * lives, read from this node's disk after a task has ended (deployment §2.15). File names and directories are
 * those existing clients look for.
 */

import { join } from 'node:path'
import type { Actor } from '../../actor/index.ts'
import type { AbortOptions, FileStore, Handle, Result } from '../../types/index.ts'
import { base64ToBytes, concatBytes, ok, refusal, refuse } from '../../utils/index.ts'
import { ensembleBehaviors, logsReplySchema } from '../jobs/index.ts'
import { clip } from './bounds.ts'
import { ASK_LIMIT_MS, LOG_PIECE_BYTES, MAX_LOG_PIECES, MAX_STORED_LOG_BYTES } from './constants.ts'

export type LogStream = 'stdout' | 'stderr'

/** A piece of one stream. */
export interface LogChunk {
  readonly data: Uint8Array
  readonly offset: number
  readonly nextOffset: number
  /** Bytes there are now. */
  readonly totalSize: number
  /** No more will come. */
  readonly isEnd: boolean
}

/** Which piece of which stream. */
export interface LogRequest {
  readonly stream: LogStream
  readonly offset: number
  readonly maxBytes: number
  /** How long the provider may hold the answer back while there is nothing new. */
  readonly waitMs: number
}

export class LogStore {
  readonly #files: FileStore
  readonly #directory: string

  /** `directory` is `<work_dir>/deployments/<ensemble id>`. */
  constructor(deps: { files: FileStore }, options: { directory: string }) {
    this.#files = deps.files
    this.#directory = options.directory
  }

  /** Directory of one allocation's files, by manifest key. */
  directoryOf(key: string): string {
    return join(this.#directory, key)
  }

  /** Stores the whole of a stream; an empty one makes no file. */
  async save(key: string, stream: LogStream, content: Uint8Array): Promise<void> {
    if (content.length > 0) await this.#files.writeAtomic(this.#path(key, stream), content, { mode: 0o644 })
  }

  /** A piece of a stored stream; an absent file is an empty, ended stream. */
  async read(key: string, request: LogRequest): Promise<LogChunk> {
    const content = (await this.#files.read(this.#path(key, request.stream))) ?? new Uint8Array()
    const data = content.subarray(request.offset, request.offset + request.maxBytes)
    const nextOffset = request.offset + data.length
    return {
      data,
      offset: request.offset,
      nextOffset,
      totalSize: content.length,
      isEnd: nextOffset >= content.length
    }
  }

  /** Removes what is stored of these allocations. */
  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys)
      for (const stream of ['stdout', 'stderr'] as const) await this.#files.remove(this.#path(key, stream))
  }

  #path(key: string, stream: LogStream): string {
    return join(this.directoryOf(key), `${stream}.log`)
  }
}

/** Where a running allocation's output is asked for. */
export interface LogSource {
  readonly ensembleId: string
  readonly allocationId: string
  /** Root actor of its provider. */
  readonly provider: Handle
}

/** Fetches one piece from the provider. */
export async function fetchLogChunk(
  actor: Pick<Actor, 'invoke'>,
  source: LogSource,
  request: LogRequest,
  { signal }: AbortOptions = {}
): Promise<Result<LogChunk>> {
  const payload = {
    AllocName: source.allocationId,
    Stream: request.stream,
    offset: request.offset,
    max_bytes: request.maxBytes,
    wait_ms: request.waitMs
  }
  const options = { timeoutMs: ASK_LIMIT_MS + request.waitMs, signal }
  const reply = await actor.invoke(
    source.provider,
    ensembleBehaviors(source.ensembleId).logs,
    payload,
    options
  )
  if (!reply.ok) return reply
  const answer = logsReplySchema.safeParse(reply.value.payload)
  if (!answer.success) return refuse(refusal('DEPLOYMENT_LOGS', 'the provider sent logs that cannot be read'))
  if (answer.data.Error !== '') return refuse(refusal('DEPLOYMENT_LOGS', clip(answer.data.Error)))
  return readChunk(answer.data, request)
}

function readChunk(
  wire: {
    data?: string | null | undefined
    Stdout?: string | null | undefined
    Stderr?: string | null | undefined
    total_size: number
    eof: boolean
  },
  request: LogRequest
): Result<LogChunk> {
  // An older provider answers with both whole logs; the piece is cut out of them here.
  const whole = request.stream === 'stdout' ? wire.Stdout : wire.Stderr
  try {
    if (wire.data === undefined || wire.data === null) {
      const content = base64ToBytes(whole ?? '')
      const piece = content.subarray(request.offset, request.offset + request.maxBytes)
      return ok({
        data: piece,
        offset: request.offset,
        nextOffset: request.offset + piece.length,
        totalSize: content.length,
        isEnd: false
      })
    }
    const piece = base64ToBytes(wire.data).subarray(0, request.maxBytes)
    const nextOffset = request.offset + piece.length
    return ok({
      data: piece,
      offset: request.offset,
      nextOffset,
      // What has come in is there, whatever the provider says of the size.
      totalSize: Math.max(nextOffset, Number.isSafeInteger(wire.total_size) ? wire.total_size : 0),
      // An end with nothing more to read is one, also when the size was a lie; else a follower would never stop.
      isEnd: wire.eof && (piece.length === 0 || nextOffset >= wire.total_size)
    })
  } catch {
    return refuse(refusal('DEPLOYMENT_LOGS', 'the provider sent logs that are not base64'))
  }
}

/** Fetches a whole stream up to the bound, for storing. Ends after a number of pieces, however small they are. */
export async function fetchWholeLog(
  actor: Pick<Actor, 'invoke'>,
  source: LogSource,
  stream: LogStream,
  options: AbortOptions
): Promise<Result<Uint8Array>> {
  const pieces: Uint8Array[] = []
  let offset = 0
  for (let count = 0; count < MAX_LOG_PIECES && offset < MAX_STORED_LOG_BYTES; count++) {
    const request = { stream, offset, maxBytes: LOG_PIECE_BYTES, waitMs: 0 }
    const chunk = await fetchLogChunk(actor, source, request, options)
    if (!chunk.ok) return chunk
    pieces.push(chunk.value.data)
    offset = chunk.value.nextOffset
    if (chunk.value.data.length === 0 || offset >= chunk.value.totalSize) break
  }
  return ok(concatBytes(...pieces))
}
