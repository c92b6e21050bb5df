/**
 * The executor contract over timers. What a workload does is told by its parameters (`params.ts`), what exists
 * is kept in a world that outlives the executor (`world.ts`). Log files are written in one go at the start:
 * to the disk, synchronously so that virtual time stays exact, or to the given file store.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AbortOptions, Clock, FileStore, Logger } from '../../types/index.ts'
import { formatDuration, parseDurationMs, raceSignal, utf8ToBytes } from '../../utils/index.ts'
import { STDERR_LOG, STDOUT_LOG, STOP_GRACE_MS } from '../constants.ts'
import { ExecutorError } from '../errors.ts'
import { EXIT_SIGKILL, EXIT_SIGTERM, lostResult, statusOf } from '../outcome.ts'
import { problemsOf } from '../params.ts'
import type {
  ExecOutcome,
  ExecutionHandle,
  ExecutionRequest,
  ExecutionResult,
  ExecutionStats,
  ExecutionStatus,
  Executor,
  Fingerprint,
  StartOptions
} from '../types.ts'
import { type MockParams, mockParams } from './params.ts'
import { createMockWorld, endExecution, type MockExecution, type MockWorld, schedule } from './world.ts'

/** Exit code of a workload ended by its time limit, as timeout(1) has it. */
const EXIT_TIME_LIMIT = 124

/** Collaborators of the mock: time, and where log files go. */
export interface MockExecutorDeps {
  readonly clock: Clock
  readonly log?: Logger
  /** Where log files go; the local disk when absent. */
  readonly files?: FileStore
}

/** Whose workloads, in which world. */
export interface MockExecutorOptions {
  /** Separates the executions of several nodes in one world. */
  readonly ownerId: string
  /** The machine it works on; a world of its own when absent. */
  readonly world?: MockWorld
}

/** Makes a mock executor. */
export function createMockExecutor(deps: MockExecutorDeps, options: MockExecutorOptions): Executor {
  return new MockExecutor(deps, options)
}

class MockExecutor implements Executor {
  readonly type = 'mock'
  readonly #deps: MockExecutorDeps
  readonly #ownerId: string
  readonly #world: MockWorld
  readonly #closed = new AbortController()

  constructor(deps: MockExecutorDeps, { ownerId, world = createMockWorld() }: MockExecutorOptions) {
    this.#deps = deps
    this.#ownerId = ownerId
    this.#world = world
  }

  async fingerprint(_options?: AbortOptions): Promise<Fingerprint> {
    const reason = this.#world.unavailable
    return reason === undefined ? { available: true, version: 'mock' } : { available: false, reason }
  }

  validate(params: Readonly<Record<string, unknown>>): string[] {
    return problemsOf(mockParams, params)
  }

  async start(request: ExecutionRequest, options: StartOptions = {}): Promise<ExecutionHandle> {
    options.signal?.throwIfAborted()
    this.#assertUsable()
    const execution = this.#create(request)
    try {
      options.onProgress?.({ step: 'creating' })
      await this.#block(execution.params.block_start, options.signal)
      const handle = this.#handleOf(request)
      await options.onHandle?.(handle)
      options.signal?.throwIfAborted()
      failIfAsked(execution.params)
      await this.#writeLogs(execution)
      this.#run(execution)
      options.onProgress?.({ step: 'started' })
      return handle
    } catch (error) {
      this.#world.executions.delete(request.executionId)
      throw error
    }
  }

  async recover(handle: ExecutionHandle, options: AbortOptions = {}): Promise<ExecutionStatus> {
    const execution = this.#find(handle)
    if (execution?.params.lost_on_recover) {
      endExecution(execution, 'signal', EXIT_SIGKILL)
      this.#world.executions.delete(handle.executionId)
    }
    return await this.status(handle, options)
  }

  async wait(handle: ExecutionHandle, { signal }: AbortOptions = {}): Promise<ExecutionResult> {
    signal?.throwIfAborted()
    const execution = this.#find(handle)
    if (execution === undefined) return lostResult(handle.executionId)
    return await raceSignal(raceSignal(execution.ended.promise, this.#closed.signal), signal)
  }

  async status(handle: ExecutionHandle, _options?: AbortOptions): Promise<ExecutionStatus> {
    const execution = this.#find(handle)
    if (execution === undefined) return 'lost'
    if (execution.result !== undefined) return statusOf(execution.result)
    return execution.startedAtMs === undefined ? 'pending' : 'running'
  }

  async stop(handle: ExecutionHandle, options: AbortOptions & { graceMs?: number } = {}): Promise<void> {
    options.signal?.throwIfAborted()
    const execution = this.#find(handle)
    if (execution === undefined || execution.result !== undefined) return
    if (!execution.params.ignore_stop) return endExecution(execution, 'stop', EXIT_SIGTERM)
    const kill = () => endExecution(execution, 'stop', EXIT_SIGKILL)
    schedule(this.#deps.clock, execution, options.graceMs ?? STOP_GRACE_MS, kill)
    await this.wait(handle, options)
  }

  async remove(handle: ExecutionHandle, options: AbortOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    const execution = this.#find(handle)
    if (execution === undefined) return
    endExecution(execution, 'stop', EXIT_SIGKILL)
    this.#world.executions.delete(handle.executionId)
  }

  async stats(handle: ExecutionHandle, _options?: AbortOptions): Promise<ExecutionStats> {
    const { request } = this.#running(handle)
    return {
      cpuPercent: 0,
      memoryUsedBytes: 0,
      memoryLimitBytes: request.resources.ram.size,
      networkRxBytes: 0,
      networkTxBytes: 0
    }
  }

  async exec(
    handle: ExecutionHandle,
    _command: readonly string[],
    options: AbortOptions = {}
  ): Promise<ExecOutcome> {
    options.signal?.throwIfAborted()
    const { params } = this.#running(handle)
    return { exitCode: params.exec_exit_code ?? 0, stdout: params.exec_stdout ?? '', stderr: '' }
  }

  async list(_options?: AbortOptions): Promise<string[]> {
    const own = [...this.#world.executions.values()].filter(execution => execution.ownerId === this.#ownerId)
    return own.map(execution => execution.request.executionId)
  }

  async close(): Promise<void> {
    this.#closed.abort(new ExecutorError('EXECUTOR_UNAVAILABLE', 'the executor was closed'))
  }

  #assertUsable(): void {
    this.#closed.signal.throwIfAborted()
    const reason = this.#world.unavailable
    if (reason !== undefined) throw new ExecutorError('EXECUTOR_UNAVAILABLE', reason)
  }

  #create(request: ExecutionRequest): MockExecution {
    const { executionId } = request
    const [problem] = this.validate(request.engine.params)
    if (problem !== undefined) {
      throw new ExecutorError('EXECUTOR_START_FAILED', `parameter ${problem}`, {
        hint: "correct the ensemble's execution"
      })
    }
    if (this.#world.executions.has(executionId)) {
      throw new ExecutorError('EXECUTOR_START_FAILED', `execution '${executionId}' exists already`)
    }
    const execution: MockExecution = {
      ownerId: this.#ownerId,
      request,
      params: mockParams.parse(request.engine.params),
      startedAtMs: undefined,
      result: undefined,
      ended: Promise.withResolvers(),
      timers: []
    }
    this.#world.executions.set(executionId, execution)
    return execution
  }

  async #block(duration: MockParams['block_start'], signal: AbortSignal | undefined): Promise<void> {
    if (duration === undefined || duration === false) return
    if (duration !== true) return await this.#deps.clock.sleep(parseDurationMs(duration), { signal })
    await raceSignal(raceSignal(Promise.withResolvers<never>().promise, this.#closed.signal), signal)
  }

  async #writeLogs({ params, request }: MockExecution): Promise<void> {
    const { files } = this.#deps
    const streams = [
      [STDOUT_LOG, params.stdout ?? ''],
      [STDERR_LOG, params.stderr ?? '']
    ] as const
    if (files === undefined) mkdirSync(request.resultsDirectory, { recursive: true, mode: 0o700 })
    for (const [name, text] of streams) {
      const path = join(request.resultsDirectory, name)
      if (files === undefined) writeFileSync(path, text)
      else await files.writeAtomic(path, utf8ToBytes(text))
    }
  }

  #run(execution: MockExecution): void {
    const { clock } = this.#deps
    const { params, request } = execution
    execution.startedAtMs = clock.nowMs()
    if (params.run_for !== 'forever') {
      const runForMs = params.run_for === undefined ? 0 : parseDurationMs(params.run_for)
      schedule(clock, execution, runForMs, () => endExecution(execution, 'exit', params.exit_code ?? 0))
    }
    if (params.die !== undefined) {
      const cause = params.die_of ?? 'signal'
      schedule(clock, execution, parseDurationMs(params.die), () =>
        endExecution(execution, cause, EXIT_SIGKILL)
      )
    }
    const { timeLimitMs } = request
    if (timeLimitMs !== undefined) {
      const end = () => endExecution(execution, 'time', EXIT_TIME_LIMIT, formatDuration(timeLimitMs))
      schedule(clock, execution, timeLimitMs, end)
    }
  }

  #handleOf({ executionId, jobId, resultsDirectory }: ExecutionRequest): ExecutionHandle {
    return { executor: 'mock', executionId, jobId, resultsDirectory, state: { owner: this.#ownerId } }
  }

  #find(handle: ExecutionHandle): MockExecution | undefined {
    const execution = this.#world.executions.get(handle.executionId)
    return execution?.ownerId === this.#ownerId ? execution : undefined
  }

  #running(handle: ExecutionHandle): MockExecution {
    const execution = this.#find(handle)
    if (execution?.startedAtMs === undefined || execution.result !== undefined) {
      throw new ExecutorError('EXECUTOR_NOT_RUNNING', `execution '${handle.executionId}' is not running`)
    }
    return execution
  }
}

function failIfAsked({ fail_start: failStart, fail_code: code }: MockParams): void {
  if (failStart === undefined || failStart === false) return
  const message = failStart === true ? 'the workload could not be started' : failStart
  throw new ExecutorError(code ?? 'EXECUTOR_START_FAILED', message)
}
