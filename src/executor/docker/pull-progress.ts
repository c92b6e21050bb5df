/** Turns the engine's pull messages, one JSON value a line, into one fraction. */

import { z } from 'zod'
import { MAX_PULL_LAYERS, MAX_PULL_LINE_BYTES } from './constants.ts'

const pullMessage = z.object({
  status: z.string().optional(),
  id: z.string().optional(),
  error: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).optional()
})

/** Share of a layer's work that is its download; the rest is its extraction. */
const DOWNLOAD_SHARE = 0.8
/** Changes smaller than this are not reported. */
const LEAST_STEP = 0.01

export class PullProgress {
  readonly #layers = new Map<string, number>()
  readonly #onFraction: (fraction: number) => void
  #reported = -1
  #rest = ''
  #error: string | undefined

  constructor(onFraction: (fraction: number) => void) {
    this.#onFraction = onFraction
  }

  /** What the engine said went wrong, if anything did. */
  get error(): string | undefined {
    return this.#error
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('latin1')).split('\n')
    this.#rest = (lines.pop() ?? '').slice(0, MAX_PULL_LINE_BYTES)
    for (const line of lines) this.#line(line)
  }

  end(): void {
    this.#line(this.#rest)
    this.#rest = ''
  }

  #line(line: string): void {
    const message = pullMessage.safeParse(parseLoose(line))
    if (!message.success) return
    const { status = '', id, error, progressDetail } = message.data
    if (error !== undefined) this.#error ??= error
    if (id === undefined) return
    const share = shareOf(status, progressDetail?.current, progressDetail?.total)
    if (share === undefined || (!this.#layers.has(id) && this.#layers.size >= MAX_PULL_LAYERS)) return
    this.#layers.set(id, Math.max(share, this.#layers.get(id) ?? 0))
    this.#report()
  }

  #report(): void {
    let sum = 0
    for (const share of this.#layers.values()) sum += share
    const fraction = sum / this.#layers.size
    // Layers are announced one after another, which makes the share of the known ones fall: never report that.
    if (fraction < this.#reported + LEAST_STEP && !(fraction === 1 && this.#reported < 1)) return
    this.#reported = fraction
    this.#onFraction(fraction)
  }
}

function parseLoose(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined // an unreadable progress line is no reason to give up a pull
  }
}

function shareOf(status: string, current: number | undefined, total: number | undefined): number | undefined {
  const part =
    current !== undefined && total !== undefined && total > 0 ? Math.min(1, Math.max(0, current / total)) : 0
  if (status === 'Pulling fs layer' || status === 'Waiting') return 0
  if (status === 'Downloading') return DOWNLOAD_SHARE * part
  if (status === 'Verifying Checksum' || status === 'Download complete') return DOWNLOAD_SHARE
  if (status === 'Extracting') return DOWNLOAD_SHARE + (1 - DOWNLOAD_SHARE) * part
  if (status === 'Pull complete' || status === 'Already exists') return 1
  return undefined
}
