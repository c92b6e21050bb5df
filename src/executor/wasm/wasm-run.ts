/** Looks after one runner process until it has ended, be it our child or one that an earlier daemon started. */

import { watch } from 'node:fs'
import type { AbortOptions, Clock, Timer } from '../../types/index.ts'
import { formatBytes, raceSignal } from '../../utils/index.ts'
import { EXIT_SIGKILL, lostResult, resultOf } from '../outcome.ts'
import type { ExecutionResult } from '../types.ts'
import { ORPHAN_POLL_MS } from './constants.ts'
import type { ExecutionFiles } from './execution-files.ts'
import { processStart, signalProcess } from './process-identity.ts'

export interface WasmRunOptions {
  readonly executionId: string
  readonly pid: number
  readonly start: string
  readonly memoryBytes: number
  readonly files: ExecutionFiles
  /** Fires when the executor is closed: watching ends, the process goes on. */
  readonly closed: AbortSignal
}

export class WasmRun {
  readonly options: WasmRunOptions
  readonly #clock: Clock
  readonly #ended = Promise.withResolvers<ExecutionResult>()
  #result: ExecutionResult | undefined
  #isStopping = false

  constructor(deps: { clock: Clock }, options: WasmRunOptions) {
    this.#clock = deps.clock
    this.options = options
    this.#ended.promise.catch(() => undefined) // nobody may be waiting when the executor is closed
  }

  get result(): ExecutionResult | undefined {
    return this.#result
  }

  /** Watches it; `exited` is known for a child of ours. */
  watch(exited?: Promise<NodeJS.Signals | null>): void {
    const { closed } = this.options
    const end = raceSignal(exited ?? this.#orphanExit(), closed).then(killedBy => this.#readResult(killedBy))
    end.then(
      result => {
        this.#result = result
        this.#ended.resolve(result)
      },
      error => this.#ended.reject(closed.aborted ? closed.reason : error)
    )
  }

  async wait({ signal }: AbortOptions = {}): Promise<ExecutionResult> {
    return await raceSignal(this.#ended.promise, signal)
  }

  /** Asks the runner to end, and kills it after the grace. Resolves when it has ended. */
  async stop(graceMs: number, options: AbortOptions = {}): Promise<void> {
    const { pid, start } = this.options
    this.#isStopping = true
    await signalProcess(pid, start, 'SIGTERM')
    const killer = this.#clock.setTimer(graceMs, () => void signalProcess(pid, start, 'SIGKILL'))
    try {
      await this.wait(options)
    } finally {
      killer.cancel()
    }
  }

  async kill(options: AbortOptions = {}): Promise<void> {
    this.#isStopping = true
    await signalProcess(this.options.pid, this.options.start, 'SIGKILL')
    await this.wait(options)
  }

  /**
   * The end of a process that is not our child. Its outcome file tells at once; a crash leaves none, so the
   * process itself is looked at now and then too.
   */
  async #orphanExit(): Promise<null> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { pid, start, files, closed } = this.options
    let timer: Timer | undefined
    const look = async (): Promise<void> => {
      timer?.cancel()
      if ((await processStart(pid)) !== start) return resolve()
      const isEnding = (await files.readOutcome()) !== undefined
      if (!closed.aborted) timer = this.#clock.setTimer(isEnding ? 10 : ORPHAN_POLL_MS, () => void look())
    }
    const watcher = watch(files.directory, () => void look())
    watcher.on('error', () => undefined) // the directory was removed: the look now and then is enough
    closed.addEventListener('abort', () => resolve(), { once: true })
    try {
      await look()
      await promise
      return null
    } finally {
      watcher.close()
      timer?.cancel()
    }
  }

  async #readResult(killedBy: NodeJS.Signals | null): Promise<ExecutionResult> {
    const { files, memoryBytes, executionId } = this.options
    const outcome = await files.readOutcome()
    if (outcome !== undefined) return resultOf(outcome.cause, outcome.exitCode, outcome.detail)
    if (this.#isStopping) return resultOf('stop', EXIT_SIGKILL)
    const diagnostics = await files.readDiagnostics()
    if (/out of memory|OOM|Allocation failed/i.test(diagnostics))
      return resultOf('memory', EXIT_SIGKILL, formatBytes(memoryBytes))
    return killedBy === null ? lostResult(executionId) : resultOf('signal', EXIT_SIGKILL)
  }
}
