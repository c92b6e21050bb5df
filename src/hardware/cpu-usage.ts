import type { AbortOptions, Clock } from '../types/index.ts'
import { raceSignal } from '../utils/index.ts'
import { CPU_SAMPLE_MS, CPU_USAGE_FRESH_MS } from './constants.ts'
import type { CpuTimes, SystemReader } from './system.ts'

/**
 * The machine's counters from the first line of /proc/stat (proc_stat(5)), in ticks. Guest time is contained in
 * user time already; waiting for a disk is idle time.
 */
export function parseCpuTimes(text: string): CpuTimes | undefined {
  const match = /^cpu +((?:\d+ ?)+)/m.exec(text)
  const ticks = match?.[1]?.trim().split(' ').map(Number)
  if (ticks === undefined || ticks.length < 4) return undefined
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, softirq = 0, steal = 0] = ticks
  const busy = user + nice + system + irq + softirq + steal
  return { busy, total: busy + idle + waiting }
}

/** Part of the time between two readings the CPUs were busy, 0 to 1. */
export function busyShare(before: CpuTimes, after: CpuTimes): number {
  const total = after.total - before.total
  return total > 0 ? Math.min(1, Math.max(0, (after.busy - before.busy) / total)) : 0
}

interface Measurement {
  readonly share: Promise<number>
  /** On the monotonic clock; infinite while it is under way. */
  freshUntilMs: number
}

/** Measures how busy the machine is. Callers within a second share one measurement. */
export class CpuUsageMeter {
  readonly #reader: SystemReader
  readonly #clock: Clock
  #current: Measurement | undefined

  constructor(deps: { reader: SystemReader; clock: Clock }) {
    this.#reader = deps.reader
    this.#clock = deps.clock
  }

  /** Part of the machine's CPU time in use, 0 to 1. An abort ends the wait, not the shared measurement. */
  async share({ signal }: AbortOptions = {}): Promise<number> {
    if (this.#current === undefined || this.#clock.monotonicMs() >= this.#current.freshUntilMs) {
      this.#current = this.#begin()
    }
    return await raceSignal(this.#current.share, signal)
  }

  #begin(): Measurement {
    const state: Measurement = { share: this.#measure(), freshUntilMs: Number.POSITIVE_INFINITY }
    const end = (lifeMs: number) => () => {
      state.freshUntilMs = this.#clock.monotonicMs() + lifeMs
    }
    state.share.then(end(CPU_USAGE_FRESH_MS), end(0))
    return state
  }

  async #measure(): Promise<number> {
    const before = await this.#times()
    await this.#clock.sleep(CPU_SAMPLE_MS)
    return busyShare(before, await this.#times())
  }

  async #times(): Promise<CpuTimes> {
    const text = await this.#reader.readText('/proc/stat')
    return (text === undefined ? undefined : parseCpuTimes(text)) ?? this.#reader.platform().cpuTimes
  }
}
