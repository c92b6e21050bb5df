/**
 * One allocation on this machine: its record, and the operations that move it through the table of
 * `transitions.ts`. Operations run one after another; each change is written before the world is changed, so that
 * a daemon killed between any two steps finds its way back through `recover`.
 */

import type { ChildActor } from '../../actor/index.ts'
import type { AllocationRecord, AllocationStatus } from '../../db/index.ts'
import type { ExecutionHandle, ExecutionResult, Executor, StartProgress } from '../../executor/index.ts'
import type { Refusal, Result } from '../../types/index.ts'
import { deadline, errorMessage, Mutex, ok, refusal, refuse } from '../../utils/index.ts'
import { REMOVE_LIMIT_MS } from './constants.ts'
import { executionRequest, executorRefusal, resultsDirectory, startPorts } from './execution.ts'
import { type FollowDeps, followExecution, unknownEnd } from './follow.ts'
import { executionIdOf } from './ids.ts'
import type { StartRequest } from './messages.ts'
import { measureLogs, moveLogsAside } from './past-logs.ts'
import { executionOf, optionsOf, type StoredOptions, specOf } from './stored.ts'
import { assertTransition, isActive, isEnded } from './transitions.ts'
import type { JobFiles, ProviderDeps } from './types.ts'

export interface AllocationDeps
  extends Pick<ProviderDeps, 'db' | 'resources' | 'executors' | 'clock' | 'random' | 'log'> {
  readonly files: JobFiles
  /** Tells the orchestrator; must not throw and is not waited for. */
  readonly onStatus: (allocation: Allocation, detail: string) => void
  /** It is gone for good; its orchestrator asked for that and is told nothing. */
  readonly onTerminated: () => void
  readonly onProgress: (allocation: Allocation, progress: StartProgress) => void
  /** A task has ended and its orchestrator must be told. */
  readonly onTaskEnded: (allocation: Allocation) => void
}

export interface AllocationOptions {
  readonly workDirectory: string
  readonly allowPrivilegedDocker: boolean
  readonly stopGraceMs: number
  readonly startLimitMs: number
}

export class Allocation {
  readonly actor: ChildActor
  readonly #deps: AllocationDeps
  readonly #options: AllocationOptions
  readonly #mutex = new Mutex()
  /** Fires when the allocation is given up or the provider stops; ends starts and watchers. */
  readonly #life = new AbortController()
  #record: AllocationRecord
  /** Watchers of executions of this allocation; an old one may live a moment beside a new one. */
  #followers = 0
  #isClosed = false

  constructor(deps: AllocationDeps, options: AllocationOptions, record: AllocationRecord, actor: ChildActor) {
    this.#deps = deps
    this.#options = options
    this.#record = record
    this.actor = actor
  }

  get record(): AllocationRecord {
    return this.#record
  }

  get id(): string {
    return this.#record.id
  }

  get isTask(): boolean {
    return specOf(this.#record).request.Type === 'task'
  }

  /** Runs it. Starting a running one is accepted and does nothing (deployment §3.4). */
  async start(request: StartRequest): Promise<Result<void>> {
    return await this.#mutex.run(async () => {
      const { status } = this.#record
      if (status === 'running') return ok(undefined)
      if (
        this.#life.signal.aborted ||
        status === 'terminated' ||
        (this.isTask && isEnded(status) && status !== 'stopped')
      ) {
        return refuse(
          refusal('ALLOCATION_ENDED', `allocation '${this.id}' is ${status} and cannot be started`)
        )
      }
      if (status === 'completed' || status === 'failed') return await this.#relaunch()
      const reserved = this.#deps.db.reservations.get(this.id)?.ports ?? []
      const ports = startPorts(this.#record, request, reserved)
      if (!ports.ok) return ports
      this.#move('starting', {
        startOptions: { ...optionsOf(this.#record), portMapping: ports.value },
        execution: undefined
      })
      return await this.#launch()
    })
  }

  /** Ends the present execution, if any, and runs a new one with the same ports and names. */
  async restart(): Promise<Result<void>> {
    return await this.#mutex.run(async () => {
      const { status } = this.#record
      const canRestart =
        status === 'running' || (!this.isTask && (status === 'failed' || status === 'completed'))
      if (this.#life.signal.aborted || !canRestart) {
        return refuse(
          refusal('ALLOCATION_NOT_RUNNING', `allocation '${this.id}' is ${status} and cannot be restarted`)
        )
      }
      return await this.#relaunch()
    })
  }

  /**
   * Ends it for good and gives everything back. May be called again: a workload that could not be removed, because
   * its executor does not answer, is tried again then.
   */
  async terminate(): Promise<Result<void>> {
    this.#life.abort()
    return await this.#mutex.run(async () => {
      if (this.#isClosed) return refuse(refusal('ALLOCATION_CLOSED', 'the provider is stopping'))
      const before = this.#record
      // A task keeps the end it had: that is what its owner wants to know.
      const isOver = before.status === 'terminated' || (this.isTask && isEnded(before.status))
      if (!isOver) this.saveOptions({ isTerminating: true })
      const removed = await this.#removeExecution()
      if (!removed.ok) return removed
      try {
        this.#deps.db.transaction(() => {
          this.#deps.resources.release(this.id)
          if (!isOver) this.#move('terminated', { endedAtMs: this.#deps.clock.nowMs() })
        })
      } catch (error) {
        this.#record = this.#deps.db.allocations.get(this.id) ?? before
        throw error
      }
      if (!isOver) this.#deps.onTerminated()
      return ok(undefined)
    })
  }

  /** Takes up what an earlier run of the daemon left. Returns soon; what must wait goes on in the background. */
  async recover(): Promise<void> {
    if (optionsOf(this.#record).isTerminating) await this.terminate()
    else await this.settle()
  }

  /**
   * Repeats what should have happened and did not, because a database or an executor failed at the wrong moment:
   * watches what nobody watches, removes what has ended, gives back the place of what will not run again.
   */
  async settle(): Promise<void> {
    await this.#mutex.run(async () => {
      const { status } = this.#record
      if (this.#isClosed) return
      if (isActive(status) && this.#followers === 0 && !this.#life.signal.aborted) return await this.#adopt()
      if (!isEnded(status)) return
      const removed = await this.#removeExecution()
      if (removed.ok && (this.isTask || status === 'terminated')) this.#deps.resources.release(this.id)
      if (this.isTask && !this.#record.terminationReported) this.#deps.onTaskEnded(this)
    })
  }

  /** Lets go without touching the workload; a later run of the daemon adopts it. */
  close(): void {
    this.#isClosed = true
    this.#life.abort()
  }

  /** The end was handed over to the orchestrator, or is no longer worth telling. */
  markReported(): void {
    if (!this.#record.terminationReported) this.#save({ terminationReported: true })
  }

  /** Stores what the orchestrator told. */
  saveOptions(patch: Partial<StoredOptions>): void {
    this.#save({ startOptions: { ...optionsOf(this.#record), ...patch } })
  }

  /** The running execution with its executor. */
  execution(): Result<{ executor: Executor; handle: ExecutionHandle }> {
    const handle = executionOf(this.#record)
    const executor = handle && this.#deps.executors.get(handle.executor)
    if (this.#record.status === 'running' && handle && executor) return ok({ executor, handle })
    return refuse(
      refusal('ALLOCATION_NOT_RUNNING', `allocation '${this.id}' is ${this.#record.status}, not running`)
    )
  }

  async #relaunch(): Promise<Result<void>> {
    this.#move('restarting', {})
    this.#deps.onStatus(this, '')
    const removed = await this.#removeExecution()
    if (removed.ok) {
      await this.#putLogsAside()
      return await this.#launch()
    }
    this.#move('failed', this.#ending(unknownEnd(removed.error.message)))
    return removed
  }

  /** Each execution writes files of its own; what the last one wrote stays readable before it. */
  async #putLogsAside(): Promise<void> {
    const directory = resultsDirectory(this.#options.workDirectory, this.id)
    const { files } = this.#deps
    this.saveOptions({ pastLogs: await measureLogs(files, directory, optionsOf(this.#record).pastLogs) })
    await moveLogsAside(files, directory)
  }

  /** From `starting` or `restarting` to `running` or `failed`. */
  async #launch(): Promise<Result<void>> {
    const { clock, files, random, log, onStatus, onProgress } = this.#deps
    const { workDirectory, allowPrivilegedDocker, startLimitMs } = this.#options
    const executor = this.#deps.executors.get(specOf(this.#record).request.Execution.type)
    const reservation = this.#deps.db.reservations.get(this.id)
    if (executor === undefined || reservation === undefined) {
      return await this.#failStart(
        refusal('ALLOCATION_PLACE_GONE', 'its executor or its reservation is no longer on this node')
      )
    }
    onStatus(this, '')
    using limit = deadline(clock, startLimitMs, 'the start', this.#life.signal)
    try {
      await files.makeDirectory(resultsDirectory(workDirectory, this.id))
      const request = executionRequest(this.#record, {
        executionId: executionIdOf(this.id, random.uuid()),
        resources: reservation.resources,
        workDirectory,
        allowPrivileged: allowPrivilegedDocker
      })
      const handle = await executor.start(request, {
        signal: limit.signal,
        onProgress: progress => onProgress(this, progress),
        onHandle: handle => this.#save({ execution: handle })
      })
      this.#move('running', {
        execution: handle,
        startedAtMs: clock.nowMs(),
        result: undefined,
        endedAtMs: undefined
      })
      onStatus(this, '')
      void this.#follow(handle, true)
      return ok(undefined)
    } catch (error) {
      // Closed: the record stays as after a crash, and the next run of the daemon settles it.
      if (this.#life.signal.aborted)
        return refuse(refusal('ALLOCATION_ENDED', `the start of allocation '${this.id}' was given up`))
      log.warn('allocation did not start', { allocationId: this.id, reason: errorMessage(error) })
      return await this.#failStart(executorRefusal(error))
    }
  }

  async #failStart(problem: Refusal): Promise<Result<void>> {
    const ending = this.#ending(unknownEnd(problem.message))
    // The caller reads the reason in the answer to its start; there is nothing more to report.
    this.#move('failed', { ...ending, terminationReported: true })
    this.#deps.onStatus(this, problem.message)
    // A task has one try; a service keeps its place for a restart.
    const removed = await this.#removeExecution()
    if (removed.ok && this.isTask) this.#deps.resources.release(this.id)
    return refuse(problem)
  }

  #ending(result: ExecutionResult): Partial<AllocationRecord> {
    return { result, endedAtMs: this.#deps.clock.nowMs() }
  }

  /** Of an execution that an earlier run of the daemon started, or was about to. */
  async #adopt(): Promise<void> {
    const handle = executionOf(this.#record)
    if (handle) return void this.#follow(handle, false)
    await this.#finish(unknownEnd('the node was restarted while the workload was being started'))
  }

  async #follow(handle: ExecutionHandle, isKnown: boolean): Promise<void> {
    const { clock, log, executors } = this.#deps
    const deps: FollowDeps = {
      clock,
      log,
      executor: executors.get(handle.executor),
      onRunning: () => this.#mutex.run(() => this.#onRunning(handle)),
      onEnd: result => this.#mutex.run(() => this.#onEnd(handle, result))
    }
    this.#followers++
    await followExecution(deps, handle, { isKnown, signal: this.#life.signal })
    this.#followers--
  }

  #onRunning(handle: ExecutionHandle): void {
    if (!this.#isCurrent(handle) || this.#record.status === 'running') return
    this.#move('running', { startedAtMs: this.#record.startedAtMs ?? this.#deps.clock.nowMs() })
    this.#deps.onStatus(this, '')
  }

  async #onEnd(handle: ExecutionHandle, result: ExecutionResult): Promise<void> {
    if (!this.#life.signal.aborted && this.#isCurrent(handle)) await this.#finish(result)
  }

  /** Stores the end, tells it, and gives back what is no longer needed; `settle` repeats what fails here. */
  async #finish(result: ExecutionResult): Promise<void> {
    const isGood = result.exitCode === 0 && !result.killed && result.error === ''
    this.#move(isGood ? 'completed' : 'failed', {
      ...this.#ending(result),
      terminationReported: !this.isTask
    })
    this.#deps.onStatus(this, result.error)
    if (this.isTask) this.#deps.onTaskEnded(this)
    const removed = await this.#removeExecution()
    if (removed.ok && this.isTask) this.#deps.resources.release(this.id)
  }

  #isCurrent(handle: ExecutionHandle): boolean {
    return isActive(this.#record.status) && executionOf(this.#record)?.executionId === handle.executionId
  }

  /** Stops and removes the execution, and forgets its handle. */
  async #removeExecution(): Promise<Result<void>> {
    const handle = executionOf(this.#record)
    if (handle === undefined) return ok(undefined)
    const executor = this.#deps.executors.get(handle.executor)
    if (executor === undefined) {
      return refuse(
        refusal('ALLOCATION_EXECUTOR_GONE', `executor '${handle.executor}' is no longer on this node`)
      )
    }
    try {
      const { stopGraceMs: graceMs } = this.#options
      using limit = deadline(this.#deps.clock, graceMs + REMOVE_LIMIT_MS, 'removing the workload')
      await executor.stop(handle, { graceMs, signal: limit.signal })
      await executor.remove(handle, { signal: limit.signal })
    } catch (error) {
      this.#deps.log.warn('execution not removed', { allocationId: this.id, reason: errorMessage(error) })
      return refuse(executorRefusal(error))
    }
    this.#save({ execution: undefined })
    return ok(undefined)
  }

  #move(status: AllocationStatus, patch: Partial<AllocationRecord>): void {
    assertTransition(this.id, this.#record.status, status)
    this.#save({ ...patch, status })
  }

  /** Writes first, then believes. */
  #save(patch: Partial<AllocationRecord>): void {
    const record = { ...this.#record, ...patch, updatedAtMs: this.#deps.clock.nowMs() }
    this.#deps.db.allocations.save(record)
    this.#record = record
  }
}
