/**
 * One allocation on this machine: its record, and the operations that move it through the table of
 * `transitions.ts`. Operations run one after another; each change is written before the world is changed, so that
 * a daemon killed between any two steps finds its way back through `recover`.
 */

import type { ChildActor } from '../../actor/index.ts'
import type { AllocationRecord, AllocationStatus } from '../../db/index.ts'
import type { ExecutionHandle, ExecutionResult, Executor, StartProgress } from '../../executor/index.ts'
import type { Refusal, Result } from '../../types/index.ts'
import { deadline, errorCode, errorMessage, Mutex, NuError, ok, refusal, refuse } from '../../utils/index.ts'
import { FOLLOW_FIRST_DELAY_MS, FOLLOW_MAX_DELAY_MS } from './constants.ts'
import { executionRequest, resultsDirectory } from './execution.ts'
import type { StartRequest } from './messages.ts'
import { executionOf, optionsOf, type StoredOptions, specOf } from './stored.ts'
import { assertTransition, isActive, isEnded } from './transitions.ts'
import type { JobFiles, ProviderDeps } from './types.ts'

export interface AllocationDeps
  extends Pick<ProviderDeps, 'db' | 'resources' | 'executors' | 'clock' | 'random' | 'log'> {
  readonly files: JobFiles
  /** Tells the orchestrator; must not throw and is not waited for. */
  readonly onStatus: (allocation: Allocation, detail: string) => void
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
      const ports = this.#readPorts(request)
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
      const { status } = this.#record
      if (isActive(status)) this.#saveOptions({ isTerminating: true })
      const removed = await this.#removeExecution()
      if (!removed.ok) return removed
      this.#deps.db.transaction(() => {
        this.#deps.resources.release(this.id)
        // A task keeps the end it had: that is what its owner wants to know.
        if (status !== 'terminated' && !(this.isTask && (status === 'completed' || status === 'failed'))) {
          this.#move('terminated', { endedAtMs: this.#deps.clock.nowMs() })
        }
      })
      return ok(undefined)
    })
  }

  /** Takes up what an earlier run of the daemon left. Returns soon; what must wait goes on in the background. */
  async recover(): Promise<void> {
    const { status } = this.#record
    if (optionsOf(this.#record).isTerminating) return void (await this.terminate())
    if (isActive(status)) return await this.#mutex.run(() => this.#adopt())
    if (isEnded(status)) await this.settle()
  }

  /** Repeats what should have followed the end: removes the execution, gives back the place of what will not run again. */
  async settle(): Promise<void> {
    await this.#mutex.run(async () => {
      const { status } = this.#record
      if (this.#isClosed || !isEnded(status)) return
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
    this.#saveOptions(patch)
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

  #readPorts(request: StartRequest): Result<Record<string, number>> {
    const given =
      Object.keys(request.PortMapping).length > 0 ? request.PortMapping : specOf(this.#record).portMapping
    const reserved = new Set(this.#deps.db.reservations.get(this.id)?.ports)
    for (const [hostPort, workloadPort] of Object.entries(given)) {
      if (workloadPort < 1 || !reserved.has(Number(hostPort))) {
        return refuse(
          refusal(
            'ALLOCATION_PORT',
            `port ${hostPort} to ${workloadPort} was not committed for allocation '${this.id}'`
          )
        )
      }
    }
    return ok(given)
  }

  async #relaunch(): Promise<Result<void>> {
    this.#move('restarting', {})
    this.#deps.onStatus(this, '')
    const removed = await this.#removeExecution()
    if (removed.ok) return await this.#launch()
    this.#move('failed', this.#ending({ exitCode: -1, killed: false, error: removed.error.message }))
    return removed
  }

  /** From `starting` or `restarting` to `running` or `failed`. */
  async #launch(): Promise<Result<void>> {
    const { clock, files, random, log, onStatus, onProgress } = this.#deps
    const { workDirectory, allowPrivilegedDocker, startLimitMs } = this.#options
    const executor = this.#executor()
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
        executionId: random.uuid(),
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
      void this.#follow(handle, { isKnown: true })
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
    const ending = this.#ending({ exitCode: -1, killed: false, error: problem.message })
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
    if (handle) return void this.#follow(handle, { isKnown: false })
    await this.#finish({
      exitCode: -1,
      killed: false,
      error: 'the node was restarted while the workload was being started'
    })
  }

  /** Waits for the end of an execution, through failures of its executor. Never throws. */
  async #follow(handle: ExecutionHandle, { isKnown }: { isKnown: boolean }): Promise<void> {
    const { clock, log } = this.#deps
    const { signal } = this.#life
    let mustFind = !isKnown
    for (
      let delayMs = FOLLOW_FIRST_DELAY_MS;
      !signal.aborted;
      delayMs = Math.min(delayMs * 2, FOLLOW_MAX_DELAY_MS)
    ) {
      try {
        const result = (mustFind ? await this.#find(handle) : undefined) ?? (await this.#wait(handle))
        await this.#mutex.run(() => this.#onEnd(handle, result))
        return
      } catch (error) {
        if (signal.aborted) return
        log.warn('lost sight of an execution', { allocationId: this.id, reason: errorMessage(error) })
        mustFind = true
        await clock.sleep(delayMs, { signal }).catch(() => undefined)
      }
    }
  }

  async #wait(handle: ExecutionHandle): Promise<ExecutionResult> {
    return await this.#requireExecutor().wait(handle, { signal: this.#life.signal })
  }

  /** A result when there is nothing to wait for. */
  async #find(handle: ExecutionHandle): Promise<ExecutionResult | undefined> {
    const status = await this.#requireExecutor().recover(handle, { signal: this.#life.signal })
    if (status === 'lost' || status === 'pending') {
      const error =
        status === 'lost'
          ? 'nothing was left of the workload when the node was restarted'
          : 'the node was restarted before the workload ran'
      return { exitCode: -1, killed: false, error }
    }
    if (status === 'running') {
      await this.#mutex.run(() => {
        if (this.#isCurrent(handle) && this.#record.status !== 'running') {
          this.#move('running', { startedAtMs: this.#record.startedAtMs ?? this.#deps.clock.nowMs() })
          this.#deps.onStatus(this, '')
        }
      })
    }
    return undefined
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
      await executor.stop(handle, { graceMs: this.#options.stopGraceMs })
      await executor.remove(handle)
    } catch (error) {
      this.#deps.log.warn('execution not removed', { allocationId: this.id, reason: errorMessage(error) })
      return refuse(executorRefusal(error))
    }
    this.#save({ execution: undefined })
    return ok(undefined)
  }

  #executor(): Executor | undefined {
    return this.#deps.executors.get(specOf(this.#record).request.Execution.type)
  }

  #requireExecutor(): Executor {
    const executor = this.#executor()
    if (executor) return executor
    throw new Error('its executor is not on this node')
  }

  #saveOptions(patch: Partial<StoredOptions>): void {
    this.#save({ startOptions: { ...optionsOf(this.#record), ...patch } })
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

/** What an executor threw, for the orchestrator. */
function executorRefusal(error: unknown): Refusal {
  const hint = error instanceof NuError && error.hint ? `; ${error.hint}` : ''
  return refusal(errorCode(error) ?? 'ALLOCATION_EXECUTOR', errorMessage(error) + hint)
}
