/**
 * The executor contract on runner processes. What must survive is in three places: the handle (process id and
 * start time), the execution's directory below the state directory, and the process itself.
 */

import type { AbortOptions, Clock, Logger, RandomSource } from '../../types/index.ts'
import { raceSignal } from '../../utils/index.ts'
import { MAX_LOG_BYTES, STOP_GRACE_MS } from '../constants.ts'
import { ExecutorError } from '../errors.ts'
import { lostResult, statusOf } from '../outcome.ts'
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
import { MAX_PAGES, PAGE_BYTES } from './constants.ts'
import { ExecutionFiles, listExecutions, ownerDirectory } from './execution-files.ts'
import { readWasmParams, type WasmParams, wasmParamProblems } from './params.ts'
import { processStart, processUsage } from './process-identity.ts'
import { RunnerProcess } from './runner-process.ts'
import type { RunnerConfig } from './runner-protocol.ts'
import { WasmRun } from './wasm-run.ts'

/** Collaborators of the WASM executor. */
export interface WasmExecutorDeps {
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
}

/** Whose workloads, and where their state is kept. */
export interface WasmExecutorOptions {
  /** Separates the executions of several nodes in one state directory. */
  readonly ownerId: string
  /** Absolute path; made when missing. Holds what a restarted daemon needs. */
  readonly stateDirectory: string
  /** Bytes of each output stream after which a workload is ended. Default `MAX_LOG_BYTES`. */
  readonly maxLogBytes?: number
}

/** Makes a WASM executor. Nothing is read or written before the first call. */
export function createWasmExecutor(deps: WasmExecutorDeps, options: WasmExecutorOptions): Executor {
  return new WasmExecutor(deps, options)
}

interface CpuSample {
  readonly atMs: number
  readonly cpuMs: number
}

class WasmExecutor implements Executor {
  readonly type = 'wasm'
  readonly #clock: Clock
  readonly #directory: string
  readonly #maxLogBytes: number
  readonly #runs = new Map<string, WasmRun>()
  readonly #samples = new Map<string, CpuSample>()
  readonly #closed = new AbortController()

  constructor(
    deps: WasmExecutorDeps,
    { ownerId, stateDirectory, maxLogBytes = MAX_LOG_BYTES }: WasmExecutorOptions
  ) {
    this.#maxLogBytes = maxLogBytes
    this.#clock = deps.clock
    this.#directory = ownerDirectory(stateDirectory, ownerId)
  }

  async fingerprint(_options?: AbortOptions): Promise<Fingerprint> {
    if (process.platform === 'win32')
      return { available: false, reason: 'the wasm executor does not run on Windows yet' }
    if (process.allowedNodeEnvironmentFlags.has('--permission')) {
      return { available: true, version: `node ${process.versions.node}, wasi preview 1` }
    }
    return {
      available: false,
      reason: `node ${process.versions.node} has no permission model; run node 24 or newer`
    }
  }

  validate(params: Readonly<Record<string, unknown>>): string[] {
    return wasmParamProblems(params)
  }

  async start(request: ExecutionRequest, options: StartOptions = {}): Promise<ExecutionHandle> {
    this.#closed.signal.throwIfAborted()
    options.signal?.throwIfAborted()
    const params = admit(request)
    options.onProgress?.({ step: 'creating' })
    const files = new ExecutionFiles(this.#directory, request.executionId)
    const memoryPages = pagesOf(request)
    const bounds = { memoryBytes: memoryPages * PAGE_BYTES, maxLogBytes: this.#maxLogBytes }
    await files.create(runnerConfig(request, params, bounds), params.module)
    try {
      const runner = await launch(files, request.resultsDirectory, memoryPages)
      return await this.#begin(request, runner, files, options)
    } catch (error) {
      await files.remove()
      throw error
    }
  }

  async recover(handle: ExecutionHandle, options: AbortOptions = {}): Promise<ExecutionStatus> {
    await this.#runOf(handle)
    return await this.status(handle, options)
  }

  async wait(handle: ExecutionHandle, options: AbortOptions = {}): Promise<ExecutionResult> {
    options.signal?.throwIfAborted()
    this.#closed.signal.throwIfAborted()
    const run = await this.#runOf(handle)
    return run === undefined ? lostResult(handle.executionId) : await run.wait(options)
  }

  async status(handle: ExecutionHandle, options: AbortOptions = {}): Promise<ExecutionStatus> {
    options.signal?.throwIfAborted()
    const run = await this.#runOf(handle)
    if (run === undefined) return 'lost'
    if (run.result === undefined) {
      if (await isAlive(run)) return 'running'
      await run.wait(options) // it has ended: its outcome is being read
    }
    const { result } = run
    return result === undefined || (result.exitCode === -1 && !result.killed) ? 'lost' : statusOf(result)
  }

  async stop(handle: ExecutionHandle, options: AbortOptions & { graceMs?: number } = {}): Promise<void> {
    const run = await this.#runOf(handle)
    if (run !== undefined && run.result === undefined)
      await run.stop(options.graceMs ?? STOP_GRACE_MS, options)
  }

  async remove(handle: ExecutionHandle, options: AbortOptions = {}): Promise<void> {
    const run = await this.#runOf(handle)
    if (run !== undefined && run.result === undefined) await run.kill(options)
    this.#runs.delete(handle.executionId)
    this.#samples.delete(handle.executionId)
    await new ExecutionFiles(this.#directory, handle.executionId).remove()
  }

  async stats(handle: ExecutionHandle, _options?: AbortOptions): Promise<ExecutionStats> {
    const run = await this.#running(handle)
    const usage = await processUsage(run.options.pid)
    if (usage === undefined) throw notRunning(handle)
    const sample = { atMs: this.#clock.monotonicMs(), cpuMs: usage.cpuMs }
    const previous = this.#samples.get(handle.executionId)
    this.#samples.set(handle.executionId, sample)
    const elapsedMs = previous === undefined ? 0 : sample.atMs - previous.atMs
    return {
      cpuPercent:
        previous && elapsedMs > 0 ? Math.max(0, ((sample.cpuMs - previous.cpuMs) / elapsedMs) * 100) : 0,
      memoryUsedBytes: usage.memoryBytes,
      memoryLimitBytes: run.options.memoryBytes,
      networkRxBytes: 0,
      networkTxBytes: 0
    }
  }

  async exec(
    _handle: ExecutionHandle,
    _command: readonly string[],
    _options?: AbortOptions
  ): Promise<ExecOutcome> {
    throw new ExecutorError('EXECUTOR_UNSUPPORTED', 'no command can be run inside of a WASM module', {
      hint: 'use a docker allocation where a command has to be run'
    })
  }

  async list(_options?: AbortOptions): Promise<string[]> {
    return await listExecutions(this.#directory)
  }

  async close(): Promise<void> {
    this.#closed.abort(new ExecutorError('EXECUTOR_UNAVAILABLE', 'the executor was closed'))
    await Promise.allSettled([...this.#runs.values()].map(run => run.wait()))
    this.#runs.clear()
  }

  /** Stores the handle, then opens the gate: a daemon that dies in between leaves a runner that ends itself. */
  async #begin(
    request: ExecutionRequest,
    runner: RunnerProcess,
    files: ExecutionFiles,
    { onHandle, onProgress, signal }: StartOptions
  ): Promise<ExecutionHandle> {
    const { executionId, jobId, resultsDirectory } = request
    const memoryBytes = pagesOf(request) * PAGE_BYTES
    const state = { pid: runner.pid, start: runner.start, memoryBytes }
    const handle: ExecutionHandle = { executor: 'wasm', executionId, jobId, resultsDirectory, state }
    const run = this.#adopt(handle, files, state)
    try {
      await raceSignal(Promise.resolve(onHandle?.(handle)), signal)
      signal?.throwIfAborted()
    } catch (error) {
      runner.kill()
      await runner.exited
      this.#runs.delete(executionId)
      throw error
    }
    run.watch(runner.exited)
    runner.release(this.#closed.signal)
    onProgress?.({ step: 'started' })
    return handle
  }

  #adopt(handle: ExecutionHandle, files: ExecutionFiles, state: StoredState): WasmRun {
    const { executionId } = handle
    const run = new WasmRun(
      { clock: this.#clock },
      { executionId, files, closed: this.#closed.signal, ...state }
    )
    this.#runs.set(executionId, run)
    return run
  }

  /** The run of a handle, taken up again when this executor does not know it; undefined when nothing is left. */
  async #runOf(handle: ExecutionHandle): Promise<WasmRun | undefined> {
    const known = this.#runs.get(handle.executionId)
    if (known !== undefined) return known
    const state = readState(handle)
    if (state === undefined || !(await listExecutions(this.#directory)).includes(handle.executionId))
      return undefined
    const meanwhile = this.#runs.get(handle.executionId) // two calls may ask at once
    if (meanwhile !== undefined) return meanwhile
    const run = this.#adopt(handle, new ExecutionFiles(this.#directory, handle.executionId), state)
    run.watch()
    return run
  }

  async #running(handle: ExecutionHandle): Promise<WasmRun> {
    const run = await this.#runOf(handle)
    if (run === undefined || run.result !== undefined || !(await isAlive(run))) throw notRunning(handle)
    return run
  }
}

interface StoredState {
  readonly pid: number
  readonly start: string
  readonly memoryBytes: number
}

/** The stored part of a handle; undefined when it is not one of ours. */
function readState({ state }: ExecutionHandle): StoredState | undefined {
  const { pid, start, memoryBytes } = state
  if (typeof pid !== 'number' || typeof start !== 'string' || typeof memoryBytes !== 'number')
    return undefined
  return { pid, start, memoryBytes }
}

/** Reads the parameters and refuses what a module cannot have. */
function admit(request: ExecutionRequest): WasmParams {
  const { engine, ports, mounts, provisionScripts, resources } = request
  const [problem] = wasmParamProblems(engine.params)
  if (problem !== undefined) {
    throw new ExecutorError('EXECUTOR_IMAGE', `parameter ${problem}`, {
      hint: "correct the ensemble's execution"
    })
  }
  const impossible: readonly (readonly [boolean, string])[] = [
    [ports.length > 0, 'publish ports: it has no network'],
    [mounts.length > 0, 'have volumes: it sees no files'],
    [provisionScripts.length > 0, 'run provision scripts: there is no shell inside'],
    [(resources.gpus ?? []).length > 0, 'use a GPU']
  ]
  const refused = impossible.find(([isAsked]) => isAsked)
  if (refused === undefined) return readWasmParams(engine.params)
  throw new ExecutorError('EXECUTOR_UNSUPPORTED', `a WASM workload cannot ${refused[1]}`, {
    hint: 'use a docker allocation'
  })
}

async function launch(
  files: ExecutionFiles,
  resultsDirectory: string,
  memoryPages: number
): Promise<RunnerProcess> {
  await using descriptors = await files.openForRunner(resultsDirectory)
  return await RunnerProcess.launch(descriptors.fds, memoryPages)
}

function runnerConfig(
  request: ExecutionRequest,
  params: WasmParams,
  bounds: Pick<RunnerConfig, 'memoryBytes' | 'maxLogBytes'>
): RunnerConfig {
  const timeLimitMs = Math.min(
    params.timeLimitMs ?? Number.POSITIVE_INFINITY,
    request.timeLimitMs ?? Number.POSITIVE_INFINITY
  )
  return {
    executionId: request.executionId,
    args: ['module.wasm', ...params.args],
    environment: params.environment,
    stdin: params.stdin,
    ...bounds,
    ...(Number.isFinite(timeLimitMs) ? { timeLimitMs } : {})
  }
}

function pagesOf({ resources }: ExecutionRequest): number {
  return Math.min(MAX_PAGES, Math.max(1, Math.floor(resources.ram.size / PAGE_BYTES)))
}

async function isAlive({ options: { pid, start } }: WasmRun): Promise<boolean> {
  return (await processStart(pid)) === start
}

function notRunning(handle: ExecutionHandle): ExecutorError {
  return new ExecutorError('EXECUTOR_NOT_RUNNING', `execution '${handle.executionId}' is not running`)
}
