/**
 * Watches one container from before its start to its end: waits for the exit code, keeps the log files
 * flowing, enforces the time limit, and makes the result. An engine that goes away meanwhile is awaited with
 * bounded back-off; the container's end is found when it is back.
 */

import type { AbortOptions, Clock, Logger, RandomSource, Timer } from '../../types/index.ts'
import {
  deadline,
  errorCode,
  errorMessage,
  formatBytes,
  formatDuration,
  raceSignal,
  retry
} from '../../utils/index.ts'
import { STOP_GRACE_MS } from '../constants.ts'
import { type EndCause, EXIT_SIGKILL, EXIT_SIGTERM, lostResult, resultOf } from '../outcome.ts'
import type { ExecutionResult } from '../types.ts'
import {
  LOG_RECHECK_BYTES,
  LOG_REOPEN_MS,
  LOG_TAIL_LIMIT_MS,
  RECONNECT_INITIAL_MS,
  RECONNECT_MAX_MS
} from './constants.ts'
import type { ContainerFacts, Engine } from './engine.ts'
import { EngineAnswerError } from './engine-http.ts'
import { LogFollower } from './log-follower.ts'
import { PROVISION_FAILED_PATH, provisionFailure } from './provision.ts'

export interface ContainerRunDeps {
  readonly engine: Engine
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
}

export interface ContainerRunOptions {
  readonly containerId: string
  readonly executionId: string
  readonly resultsDirectory: string
  readonly isProvisioned: boolean
  readonly timeLimitMs?: number
  readonly maxLogBytes: number
  /** Fires when the executor is closed: watching ends, the container goes on. */
  readonly closed: AbortSignal
}

type ExitCode = () => Promise<number>

export class ContainerRun {
  readonly containerId: string
  readonly #deps: ContainerRunDeps
  readonly #options: ContainerRunOptions
  readonly #ended = Promise.withResolvers<ExecutionResult>()
  #result: ExecutionResult | undefined
  #cause: EndCause | undefined
  #limitTimer: Timer | undefined
  #armed: ExitCode | undefined
  #isWatching = false

  constructor(deps: ContainerRunDeps, options: ContainerRunOptions) {
    this.containerId = options.containerId
    this.#deps = deps
    this.#options = options
    this.#ended.promise.catch(() => undefined) // nobody may be waiting when the executor is closed
  }

  get result(): ExecutionResult | undefined {
    return this.#result
  }

  /** Whether the container was started and is looked after. */
  get isWatching(): boolean {
    return this.#isWatching
  }

  async wait({ signal }: AbortOptions = {}): Promise<ExecutionResult> {
    return await raceSignal(this.#ended.promise, signal)
  }

  /** Has the engine watch for the exit before the start, so that not even the shortest run is missed. */
  async arm(): Promise<void> {
    this.#armed = await this.#deps.engine.armWait(this.containerId, 'next-exit', {
      signal: this.#options.closed
    })
  }

  /** Looks after a container that was started at `startedAtMs`, until it ends. */
  watch(startedAtMs: number): void {
    this.#isWatching = true
    const { timeLimitMs, closed } = this.#options
    if (timeLimitMs !== undefined) {
      const leftMs = startedAtMs + timeLimitMs - this.#deps.clock.nowMs()
      this.#limitTimer = this.#deps.clock.setTimer(leftMs, () => void this.#endByTimeLimit())
    }
    const watching = this.#watch().finally(() => this.#limitTimer?.cancel())
    watching.then(
      result => this.settle(result),
      error => this.#ended.reject(closed.aborted ? closed.reason : error)
    )
  }

  /** The end is known without watching: the container was never started, or is gone. */
  settle(result: ExecutionResult): void {
    this.#result = result
    this.#ended.resolve(result)
  }

  /** The container is about to be ended on purpose; the first reason counts. */
  markEnding(cause: EndCause): void {
    this.#cause ??= cause
  }

  /** Asks it to end, kills it after the grace, and resolves when it has ended. */
  async stop(graceMs: number, { signal }: AbortOptions = {}): Promise<void> {
    const { engine, clock } = this.#deps
    const facts = await engine.inspect(this.containerId, { signal })
    await engine.kill(this.containerId, facts?.Config.StopSignal || 'SIGTERM', { signal })
    using grace = deadline(clock, graceMs, 'the end of the container', signal)
    const endedInTime = await this.wait({ signal: grace.signal }).then(
      () => true,
      () => false
    )
    signal?.throwIfAborted()
    this.#options.closed.throwIfAborted()
    if (endedInTime) return
    await engine.kill(this.containerId, 'SIGKILL', { signal })
    await this.wait({ signal })
  }

  async #endByTimeLimit(): Promise<void> {
    this.markEnding('time')
    try {
      await this.#persist(() => this.stop(STOP_GRACE_MS, { signal: this.#options.closed }))
    } catch (error) {
      if (!this.#options.closed.aborted) this.#warn('time limit could not be enforced', error)
    }
  }

  async #watch(): Promise<ExecutionResult> {
    const exit = this.#exitCode()
    const logs = this.#keepLogs(exit)
    const exitCode = await exit
    await logs
    return exitCode === undefined ? this.#goneResult() : await this.#readResult(exitCode)
  }

  /** The exit code, asked for again when the engine was away; undefined when the container is gone. */
  async #exitCode(): Promise<number | undefined> {
    try {
      return await this.#persist(async () => {
        const armed = this.#armed ?? (await this.#rearm())
        this.#armed = undefined
        return await armed()
      })
    } catch (error) {
      if (error instanceof EngineAnswerError && error.status === 404) return undefined
      throw error
    }
  }

  #rearm(): Promise<ExitCode> {
    return this.#deps.engine.armWait(this.containerId, 'not-running', { signal: this.#options.closed })
  }

  /** Follows the log until the container has ended. Failures of it never fail the execution. */
  async #keepLogs(exit: Promise<unknown>): Promise<void> {
    const { engine } = this.#deps
    try {
      await using follower = await LogFollower.open(engine, this.containerId, this.#options)
      await this.#followToEnd(follower, exit)
    } catch (error) {
      const isGone = error instanceof EngineAnswerError && error.status === 404
      if (!this.#options.closed.aborted && !isGone) this.#warn('output could not be kept', error)
    }
  }

  async #followToEnd(follower: LogFollower, exit: Promise<unknown>): Promise<void> {
    const { clock } = this.#deps
    using tail = new LogTail(clock, exit, this.#options.closed)
    while (!tail.hasEnded && !follower.isFull) {
      const received = await this.#readOnce(follower, tail)
      // A stream may end a little before the exit is told; when it ended although the container runs, go on.
      if ((await tail.endsWithin(LOG_REOPEN_MS)) && received > LOG_RECHECK_BYTES) return
      this.#options.closed.throwIfAborted()
    }
    await this.#persist(() => follower.read(false, { signal: this.#options.closed }))
  }

  /** Bytes that came; none when the reading was broken off. */
  async #readOnce(follower: LogFollower, tail: LogTail): Promise<number> {
    try {
      return await this.#persist(() => follower.read(true, { signal: tail.signal }))
    } catch (error) {
      if (tail.signal.aborted) return 0
      throw error
    }
  }

  async #readResult(exitCode: number): Promise<ExecutionResult> {
    const { engine } = this.#deps
    const { closed, isProvisioned } = this.#options
    const facts = await this.#persist(() => engine.inspect(this.containerId, { signal: closed }))
    if (facts === undefined) return this.#goneResult(exitCode)
    const cause = this.#cause ?? this.#causeOf(exitCode, facts)
    if (cause === 'exit' && exitCode !== 0 && isProvisioned) {
      const archive = await this.#persist(() =>
        engine.getArchive(this.containerId, PROVISION_FAILED_PATH, { signal: closed })
      )
      const failure = archive && provisionFailure(archive)
      if (failure !== undefined) return resultOf('exit', exitCode, failure)
    }
    return resultOf(cause, exitCode, this.#detailOf(cause, facts))
  }

  /** Why it ended, as far as the container itself can tell: also right after a restart of the daemon. */
  #causeOf(exitCode: number, { State: state }: ContainerFacts): EndCause {
    if (exitCode === 0) return 'exit'
    if (state.OOMKilled) return 'memory'
    if (exitCode !== EXIT_SIGKILL && exitCode !== EXIT_SIGTERM) return 'exit'
    const { timeLimitMs } = this.#options
    const ranMs = Date.parse(state.FinishedAt) - Date.parse(state.StartedAt)
    return timeLimitMs !== undefined && ranMs >= timeLimitMs ? 'time' : 'signal'
  }

  #detailOf(cause: EndCause, { HostConfig: host, State: state }: ContainerFacts): string | undefined {
    if (cause === 'time' && this.#options.timeLimitMs !== undefined)
      return formatDuration(this.#options.timeLimitMs)
    if (cause === 'memory' && host.Memory) return formatBytes(host.Memory)
    return cause === 'exit' && state.Error !== '' ? state.Error.replace(/\s+/g, ' ') : undefined
  }

  #goneResult(exitCode = EXIT_SIGKILL): ExecutionResult {
    return this.#cause === undefined ? lostResult(this.#options.executionId) : resultOf(this.#cause, exitCode)
  }

  /** Tries again, with back-off and without end, while the engine is away. */
  async #persist<T>(work: () => Promise<T>): Promise<T> {
    return await retry(this.#deps, work, {
      attempts: Number.POSITIVE_INFINITY,
      initialDelayMs: RECONNECT_INITIAL_MS,
      maxDelayMs: RECONNECT_MAX_MS,
      isRetryable: error => errorCode(error) === 'EXECUTOR_UNAVAILABLE' && !this.#options.closed.aborted,
      signal: this.#options.closed
    })
  }

  #warn(message: string, error: unknown): void {
    this.#deps.log.warn(message, { executionId: this.#options.executionId, error: errorMessage(error) })
  }
}

/** Knows whether the container has ended, and cuts a log stream that does not end soon after it. */
class LogTail implements Disposable {
  readonly #clock: Clock
  readonly #exit: Promise<unknown>
  readonly #controller = new AbortController()
  #timer: Timer | undefined
  #hasEnded = false
  #isDisposed = false
  readonly signal: AbortSignal

  constructor(clock: Clock, exit: Promise<unknown>, closed: AbortSignal) {
    this.#clock = clock
    this.#exit = exit
    this.signal = AbortSignal.any([closed, this.#controller.signal])
    const onEnd = (): void => {
      this.#hasEnded = true
      if (this.#isDisposed) return
      this.#timer = clock.setTimer(LOG_TAIL_LIMIT_MS, () =>
        this.#controller.abort(new Error('the container has ended'))
      )
    }
    exit.then(onEnd, onEnd)
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  async endsWithin(ms: number): Promise<boolean> {
    if (this.#hasEnded) return true
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const timer = this.#clock.setTimer(ms, () => resolve(false))
    const onEnd = () => resolve(true)
    this.#exit.then(onEnd, onEnd)
    const hasEnded = await promise
    timer.cancel()
    return hasEnded
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    this.#timer?.cancel()
  }
}
