import type { StartProgress } from '../../executor/index.ts'
import type { Clock, Logger } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import type { Allocation } from './allocation.ts'
import { EVENT_EXPIRY_MS, PROGRESS_INTERVAL_MS } from './constants.ts'
import { BEHAVIORS } from './messages.ts'

/** Per allocation: the tail of its messages, so that they leave in order, and the time of its last progress. */
interface Line {
  tail: Promise<void>
  waiting: number
  lastProgressMs: number
}

/** Messages of one allocation that wait to be sent at most; later ones are dropped, as these are best effort. */
const MAX_WAITING = 32

/** Pushes status and progress to the orchestrator as they happen. Best effort: nothing is repeated. */
export class Notifier {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #lines = new WeakMap<Allocation, Line>()

  constructor(deps: { clock: Clock; log: Logger }) {
    this.#clock = deps.clock
    this.#log = deps.log
  }

  status(allocation: Allocation, detail: string, signal: AbortSignal): void {
    this.#push(allocation, detail, signal)
  }

  progress(allocation: Allocation, progress: StartProgress, signal: AbortSignal): void {
    if (progress.step === 'started') return
    const line = this.#line(allocation)
    const now = this.#clock.monotonicMs()
    if (now - line.lastProgressMs < PROGRESS_INTERVAL_MS) return
    line.lastProgressMs = now
    this.#push(allocation, describeProgress(progress), signal)
  }

  #push(allocation: Allocation, detail: string, signal: AbortSignal): void {
    const line = this.#line(allocation)
    if (line.waiting >= MAX_WAITING || signal.aborted) return
    line.waiting++
    const payload = {
      allocation_id: allocation.id,
      status: allocation.record.status,
      detail: detail.slice(0, 2000)
    }
    line.tail = line.tail.then(async () => {
      try {
        const { actor, record } = allocation
        await actor.send(record.orchestrator, BEHAVIORS.allocationEvent, payload, {
          timeoutMs: EVENT_EXPIRY_MS,
          signal
        })
      } catch (error) {
        this.#log.debug('allocation event not sent', {
          allocationId: allocation.id,
          reason: errorMessage(error)
        })
      } finally {
        line.waiting--
      }
    })
  }

  #line(allocation: Allocation): Line {
    const known = this.#lines.get(allocation)
    if (known) return known
    const line: Line = { tail: Promise.resolve(), waiting: 0, lastProgressMs: Number.NEGATIVE_INFINITY }
    this.#lines.set(allocation, line)
    return line
  }
}

/** For people: `pulling busybox 43 %`. */
export function describeProgress(progress: StartProgress): string {
  if (progress.step !== 'pulling') return progress.step
  const share = progress.fraction === undefined ? '' : ` ${Math.floor(progress.fraction * 100)} %`
  return `pulling ${progress.image}${share}`
}
