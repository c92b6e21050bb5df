/** Reading the logs of an allocation as they grow: by offset, so that nothing is lost or doubled when the daemon restarts in between. */

import type { Clock } from '../../types/index.ts'
import { base64ToBytes, errorCode } from '../../utils/index.ts'
import { LogUnavailableError } from '../cli/errors.ts'
import { numberMember, textMember } from '../session/call.ts'
import type { NodeClient } from './connect.ts'

/** How long the node holds a request while there is nothing new. Milliseconds. */
const LONG_POLL_MS = 20_000
/** Bytes asked for at once: a reply fits into one message with room to spare. */
const CHUNK_BYTES = 262_144
/** First and longest pause after a failed request. Milliseconds. */
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5000
/** Refusals in a row that are taken for passing ones while following: an allocation that is just ending answers so. */
const REFUSALS_BORNE = 3
/** A daemon away for longer than this is given up. Milliseconds. */
const AWAY_LIMIT_MS = 60_000

export interface LogSource {
  readonly deployment: string
  /** `<node>.<allocation>`. */
  readonly allocation: string
  readonly stream: 'stdout' | 'stderr'
}

interface Chunk {
  readonly data: Uint8Array
  readonly offset: number
  readonly next: number
  readonly total: number
  readonly isEnd: boolean
}

interface ReadOptions {
  readonly offset: number
  readonly waitMs: number
  readonly maxBytes?: number
  readonly signal: AbortSignal
}

async function readChunk(
  node: Pick<NodeClient, 'call'>,
  source: LogSource,
  options: ReadOptions
): Promise<Chunk> {
  const reply = await node.call(
    '/dms/node/deployment/logs/read',
    {
      id: source.deployment,
      allocation: source.allocation,
      stream: source.stream,
      offset: options.offset,
      max_bytes: options.maxBytes ?? CHUNK_BYTES,
      wait_ms: options.waitMs
    },
    { signal: options.signal, waitMs: options.waitMs + LONG_POLL_MS }
  )
  const error = textMember(reply, 'Error')
  if (error !== '')
    throw new LogUnavailableError(`cannot read the logs of '${source.allocation}': ${error}`, {
      hint: "'nunet ps' lists deployments and their allocations"
    })
  return {
    data: base64ToBytes(textMember(reply, 'data')),
    offset: numberMember(reply, 'offset') ?? options.offset,
    next: numberMember(reply, 'next_offset') ?? options.offset,
    total: numberMember(reply, 'total_size') ?? 0,
    isEnd: reply['eof'] === true
  }
}

/** Where the last `lines` lines begin, from reading backwards. */
export async function tailOffset(
  node: Pick<NodeClient, 'call'>,
  source: LogSource,
  lines: number,
  signal: AbortSignal
): Promise<number> {
  const { total } = await readChunk(node, source, { offset: 0, waitMs: 0, maxBytes: 1, signal })
  if (lines <= 0) return total
  let start = total
  let missing = lines
  while (start > 0) {
    const from = Math.max(0, start - CHUNK_BYTES)
    const { data } = await readChunk(node, source, {
      offset: from,
      waitMs: 0,
      maxBytes: start - from,
      signal
    })
    for (let at = data.length - 1; at >= 0; at--) {
      // The line end at the very end closes the last line and begins none.
      const isLineEnd = data[at] === 0x0a && from + at + 1 < total
      if (isLineEnd && --missing <= 0) return from + at + 1
    }
    if (data.length === 0) break
    start = from
  }
  return 0
}

/**
 * Yields the log from `offset` on. Without `follow` it ends with what is there now; with it, when no more will
 * come. A daemon that goes away is waited for, and reading goes on where it stopped.
 */
export async function* readLog(
  deps: { readonly node: Pick<NodeClient, 'call'>; readonly clock: Clock },
  source: LogSource,
  options: { readonly offset: number; readonly follow: boolean; readonly signal: AbortSignal }
): AsyncIterable<Uint8Array> {
  const { signal, follow } = options
  let { offset } = options
  for (;;) {
    const at = offset
    const chunk = await persist(deps.clock, follow, signal, () =>
      readChunk(deps.node, source, { offset: at, waitMs: follow ? LONG_POLL_MS : 0, signal })
    )
    if (chunk.data.length > 0) yield chunk.data
    offset = chunk.next
    const isCaughtUp = chunk.data.length === 0 || offset >= chunk.total
    if (isCaughtUp && (chunk.isEnd || !follow)) return
  }
}

/** Repeats what failed because the daemon is away, or for a moment cannot tell, when that is wanted. */
export async function persist<T>(
  clock: Clock,
  wanted: boolean,
  signal: AbortSignal,
  work: () => Promise<T>
): Promise<T> {
  const started = clock.monotonicMs()
  let refusals = 0
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await work()
    } catch (error) {
      const isPassing =
        error instanceof LogUnavailableError
          ? ++refusals < REFUSALS_BORNE
          : errorCode(error) === 'API_UNREACHABLE'
      if (!wanted || !isPassing || clock.monotonicMs() - started > AWAY_LIMIT_MS) throw error
    }
    await clock.sleep(pauseMs, { signal })
  }
}
