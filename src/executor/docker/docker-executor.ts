/**
 * The executor contract on a Docker engine. Each container it started or took up again is looked after by a
 * `ContainerRun`; what is not known to this instance is asked of the engine, which is the only store.
 */

import type { AbortOptions, Clock, Logger, RandomSource } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import { MAX_EXEC_OUTPUT_BYTES, MAX_LOG_BYTES, STOP_GRACE_MS } from '../constants.ts'
import { ExecutorError } from '../errors.ts'
import { lostResult, resultOf, statusOf } from '../outcome.ts'
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
import { DEFAULT_SOCKET_PATH, LABEL_EXECUTION_ID, LABEL_OWNER } from './constants.ts'
import { ContainerRun } from './container-run.ts'
import { containerName } from './container-spec.ts'
import { ContainerStarter } from './container-starter.ts'
import { Demultiplexer } from './demultiplexer.ts'
import { type ContainerFacts, Engine } from './engine.ts'
import { EngineAnswerError, EngineHttp } from './engine-http.ts'
import { type DockerParams, dockerParamsSchema, readDockerParams } from './params.ts'
import { type CpuSample, readStats } from './stats.ts'

/** Collaborators of the Docker executor. */
export interface DockerExecutorDeps {
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
}

/** Which engine, whose containers, and what they may. */
export interface DockerExecutorOptions {
  /** Names this node in labels and container names; two nodes on one machine need two. */
  readonly ownerId: string
  /** Unix socket of the engine. Default `/var/run/docker.sock`. */
  readonly socketPath?: string
  /** False refuses privileged containers whatever a request allows. Default: the request's `allowPrivileged` decides. */
  readonly allowPrivileged?: boolean
  /** Bytes of each output stream kept in the log files; what comes after is cut. Default `MAX_LOG_BYTES`. */
  readonly maxLogBytes?: number
}

/** Makes a Docker executor. Nothing is asked of the engine before the first call. */
export function createDockerExecutor(deps: DockerExecutorDeps, options: DockerExecutorOptions): Executor {
  return new DockerExecutor(deps, options)
}

class DockerExecutor implements Executor {
  readonly type = 'docker'
  readonly #deps: DockerExecutorDeps
  readonly #options: DockerExecutorOptions
  readonly #engine: Engine
  readonly #starter: ContainerStarter
  readonly #runs = new Map<string, ContainerRun>()
  readonly #samples = new Map<string, CpuSample>()
  readonly #closed = new AbortController()

  constructor(deps: DockerExecutorDeps, options: DockerExecutorOptions) {
    this.#deps = deps
    this.#options = options
    this.#engine = new Engine(new EngineHttp(deps, { socketPath: options.socketPath ?? DEFAULT_SOCKET_PATH }))
    this.#starter = new ContainerStarter({ engine: this.#engine, clock: deps.clock }, options)
  }

  async fingerprint(options: AbortOptions = {}): Promise<Fingerprint> {
    try {
      return { available: true, version: (await this.#engine.fetchVersion(options)).engine }
    } catch (error) {
      const hint = error instanceof ExecutorError && error.hint ? `; ${error.hint}` : ''
      return { available: false, reason: `${errorMessage(error)}${hint}` }
    }
  }

  validate(params: Readonly<Record<string, unknown>>): string[] {
    return problemsOf(dockerParamsSchema, params)
  }

  async start(request: ExecutionRequest, options: StartOptions = {}): Promise<ExecutionHandle> {
    this.#closed.signal.throwIfAborted()
    options.signal?.throwIfAborted()
    const params = this.#admit(request)
    const containerId = await this.#starter.create(request, params, options)
    const handle = handleOf(request, containerId)
    const run = this.#adopt(handle, containerId)
    try {
      await options.onHandle?.(handle)
      await run.arm()
      await this.#starter.start(containerId, params, options)
      options.signal?.throwIfAborted()
    } catch (error) {
      await this.#discard(handle, run)
      throw error
    }
    run.watch(this.#deps.clock.nowMs())
    options.onProgress?.({ step: 'started' })
    return handle
  }

  async recover(handle: ExecutionHandle, options: AbortOptions = {}): Promise<ExecutionStatus> {
    await this.#runOf(handle, options)
    return await this.status(handle, options)
  }

  async wait(handle: ExecutionHandle, options: AbortOptions = {}): Promise<ExecutionResult> {
    options.signal?.throwIfAborted()
    this.#closed.signal.throwIfAborted()
    const run = await this.#runOf(handle, options)
    return run === undefined ? lostResult(handle.executionId) : await run.wait(options)
  }

  async status(handle: ExecutionHandle, options: AbortOptions = {}): Promise<ExecutionStatus> {
    const known = this.#runs.get(handle.executionId)
    if (known?.result !== undefined && known.isWatching) return statusOf(known.result)
    const facts = await this.#inspect(handle, options)
    if (facts === undefined) return 'lost'
    const { Status: state, ExitCode: exitCode } = facts.State
    if (state === 'created') return 'pending'
    if (state === 'exited' || state === 'dead') return exitCode === 0 ? 'success' : 'failed'
    return 'running'
  }

  async stop(handle: ExecutionHandle, options: AbortOptions & { graceMs?: number } = {}): Promise<void> {
    const run = await this.#runOf(handle, options)
    if (run === undefined || run.result !== undefined) return
    run.markEnding('stop')
    await run.stop(options.graceMs ?? STOP_GRACE_MS, options)
  }

  async remove(handle: ExecutionHandle, options: AbortOptions = {}): Promise<void> {
    const facts = await this.#inspect(handle, options)
    const run = this.#runs.get(handle.executionId)
    run?.markEnding('stop')
    if (facts !== undefined && !(await this.#engine.remove(facts.Id, options)))
      await this.#awaitRemoval(facts.Id, options)
    if (run?.isWatching) await run.wait(options) // from here on nobody writes into the results directory
    this.#runs.delete(handle.executionId)
    this.#samples.delete(handle.executionId)
  }

  async stats(handle: ExecutionHandle, options: AbortOptions = {}): Promise<ExecutionStats> {
    const facts = await this.#running(handle, options)
    const previous = this.#samples.get(handle.executionId) ?? {
      atMs: Date.parse(facts.State.StartedAt),
      usedNs: 0
    }
    const reading = readStats(await this.#engine.stats(facts.Id, options), previous)
    if (reading === undefined) throw notRunning(handle)
    this.#samples.set(handle.executionId, reading.sample)
    return reading.stats
  }

  /**
   * NOTE: when the signal fires the command's output is no longer read, but the engine offers no way to end
   * the command itself; it ends with its container.
   */
  async exec(
    handle: ExecutionHandle,
    command: readonly string[],
    options: AbortOptions = {}
  ): Promise<ExecOutcome> {
    const facts = await this.#running(handle, options)
    try {
      const { id, output } = await this.#engine.exec(facts.Id, command, options)
      const { stdout, stderr } = await this.#collect(output, options)
      return { exitCode: await this.#engine.execExitCode(id, options), stdout, stderr }
    } catch (error) {
      if (error instanceof EngineAnswerError && (error.status === 404 || error.status === 409))
        throw notRunning(handle)
      throw error
    }
  }

  async list(options: AbortOptions = {}): Promise<string[]> {
    const labels = await this.#engine.list(this.#options.ownerId, options)
    return labels.flatMap(own => own[LABEL_EXECUTION_ID] ?? [])
  }

  async close(): Promise<void> {
    this.#closed.abort(new ExecutorError('EXECUTOR_UNAVAILABLE', 'the executor was closed'))
    const watched = [...this.#runs.values()].filter(run => run.isWatching)
    await Promise.allSettled(watched.map(run => run.wait())) // the last bytes of the logs are on disk then
    this.#runs.clear()
  }

  /** Reads the parameters and refuses what this node does not allow. */
  #admit(request: ExecutionRequest): DockerParams {
    const [problem] = this.validate(request.engine.params)
    if (problem !== undefined) {
      throw new ExecutorError('EXECUTOR_START_FAILED', `parameter ${problem}`, {
        hint: "correct the ensemble's execution"
      })
    }
    const params = readDockerParams(request.engine.params)
    if (params.privileged && !(request.allowPrivileged && this.#options.allowPrivileged !== false)) {
      throw new ExecutorError('EXECUTOR_REFUSED', 'privileged containers are not allowed on this node', {
        hint: "remove 'privileged' from the ensemble, or set 'job.allow_privileged_docker' on the provider"
      })
    }
    return params
  }

  /** The run of a handle, made anew from what the engine knows; undefined when nothing is left of it. */
  async #runOf(handle: ExecutionHandle, options: AbortOptions): Promise<ContainerRun | undefined> {
    const known = this.#runs.get(handle.executionId)
    if (known !== undefined) return known
    const facts = await this.#inspect(handle, options)
    if (facts === undefined) return undefined
    const meanwhile = this.#runs.get(handle.executionId) // two calls may ask at once
    if (meanwhile !== undefined) return meanwhile
    const run = this.#adopt(handle, facts.Id)
    if (facts.State.Status === 'created') run.settle(resultOf('exit', -1, 'the container was never started'))
    else run.watch(Date.parse(facts.State.StartedAt))
    return run
  }

  #adopt(handle: ExecutionHandle, containerId: string): ContainerRun {
    const { timeLimitMs } = handle.state
    const run = new ContainerRun(
      { ...this.#deps, engine: this.#engine },
      {
        containerId,
        executionId: handle.executionId,
        resultsDirectory: handle.resultsDirectory,
        isProvisioned: handle.state['provisioned'] === true,
        maxLogBytes: this.#options.maxLogBytes ?? MAX_LOG_BYTES,
        closed: this.#closed.signal,
        ...(typeof timeLimitMs === 'number' ? { timeLimitMs } : {})
      }
    )
    this.#runs.set(handle.executionId, run)
    return run
  }

  /** Undoes a start that failed or was given up. Its signal has fired, maybe; the removal must happen all the same. */
  async #discard(handle: ExecutionHandle, run: ContainerRun): Promise<void> {
    this.#runs.delete(handle.executionId)
    run.settle(resultOf('stop', -1))
    try {
      await this.#engine.remove(run.containerId)
    } catch (error) {
      this.#deps.log.warn('container of a failed start is left over', {
        containerId: run.containerId,
        error: errorMessage(error)
      })
    }
  }

  async #awaitRemoval(id: string, options: AbortOptions): Promise<void> {
    try {
      await (await this.#engine.armWait(id, 'removed', options))()
    } catch (error) {
      if (!(error instanceof EngineAnswerError && error.status === 404)) throw error
    }
  }

  /** By the id in the handle, or by name when the handle has none. Containers of others are not touched. */
  async #inspect(handle: ExecutionHandle, options: AbortOptions): Promise<ContainerFacts | undefined> {
    const { containerId } = handle.state
    const isId = typeof containerId === 'string' && /^[0-9a-f]{12,64}$/.test(containerId)
    const facts = await this.#engine.inspect(
      isId ? containerId : containerName(this.#options.ownerId, handle),
      options
    )
    return facts?.Config.Labels?.[LABEL_OWNER] === this.#options.ownerId ? facts : undefined
  }

  async #running(handle: ExecutionHandle, options: AbortOptions): Promise<ContainerFacts> {
    const facts = await this.#inspect(handle, options)
    if (facts?.State.Status !== 'running') throw notRunning(handle)
    return facts
  }

  async #collect(
    output: AsyncIterable<Buffer>,
    { signal }: AbortOptions
  ): Promise<{ stdout: string; stderr: string }> {
    const kept = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }
    const demultiplexer = new Demultiplexer()
    try {
      for await (const chunk of output) {
        for (const { stream, bytes } of demultiplexer.push(chunk)) {
          const room = MAX_EXEC_OUTPUT_BYTES - kept[stream].length
          if (room > 0) kept[stream] = Buffer.concat([kept[stream], bytes.subarray(0, room)])
        }
      }
    } catch (error) {
      throw this.#engine.streamError(error, signal)
    }
    return { stdout: kept.stdout.toString('utf8'), stderr: kept.stderr.toString('utf8') }
  }
}

function handleOf(request: ExecutionRequest, containerId: string): ExecutionHandle {
  const { executionId, jobId, resultsDirectory, timeLimitMs, provisionScripts } = request
  return {
    executor: 'docker',
    executionId,
    jobId,
    resultsDirectory,
    state: {
      containerId,
      ...(timeLimitMs === undefined ? {} : { timeLimitMs }),
      ...(provisionScripts.length > 0 ? { provisioned: true } : {})
    }
  }
}

function notRunning(handle: ExecutionHandle): ExecutorError {
  return new ExecutorError('EXECUTOR_NOT_RUNNING', `execution '${handle.executionId}' is not running`)
}
