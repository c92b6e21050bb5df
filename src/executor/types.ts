/**
 * The executor contract: how a workload is run, watched, stopped and found again after a restart of the
 * daemon. One suite (`test/contract/executor.suite.ts`) holds every implementation to it, the mock included.
 */

import type { AbortOptions, Resources } from '../types/index.ts'

/** Kinds of execution as written in ensemble files. */
export type ExecutorType = 'docker' | 'wasm' | 'firecracker' | 'null' | 'mock'

/** What an executor found out about this machine. */
export interface Fingerprint {
  readonly available: boolean
  /** Why not, with the mend; present when unavailable. */
  readonly reason?: string
  readonly version?: string
}

/** A published port: TCP on the host to TCP in the workload. */
export interface PortBinding {
  /** Host address to bind, for example `0.0.0.0`. */
  readonly hostIp: string
  readonly hostPort: number
  readonly workloadPort: number
}

/** A host directory or file made visible inside the workload. */
export interface Mount {
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
}

/** One run of one workload. `executionId` is unique per run; a restart of an allocation is a new execution. */
export interface ExecutionRequest {
  readonly executionId: string
  /** The allocation it belongs to; ends up in labels. */
  readonly jobId: string
  readonly engine: { readonly type: string; readonly params: Readonly<Record<string, unknown>> }
  readonly resources: Resources
  /** Directory of this execution: `stdout.log` and `stderr.log` are written here. Exists, mode 0700. */
  readonly resultsDirectory: string
  readonly ports: readonly PortBinding[]
  readonly mounts: readonly Mount[]
  /** Scripts run in the workload before it, in this order. */
  readonly provisionScripts: readonly { readonly name: string; readonly content: Uint8Array }[]
  /** Names the workload can resolve: `db.internal` to an IP address, or to `host` for the machine it runs on. */
  readonly hosts: Readonly<Record<string, string>>
  /** Wall time after which the workload is stopped and counts as failed; none when absent. */
  readonly timeLimitMs?: number
  /** May run with all privileges of the host. False unless the node's owner allows it by configuration. */
  readonly allowPrivileged: boolean
}

/**
 * All that is needed to find a running execution again: JSON-safe, small, stored before the workload is
 * started. `state` belongs to the executor (container id, process id and its start time …).
 */
export interface ExecutionHandle {
  readonly executor: ExecutorType
  readonly executionId: string
  readonly jobId: string
  readonly resultsDirectory: string
  readonly state: Readonly<Record<string, unknown>>
}

/** `lost`: it ran, but neither the workload nor its outcome can be found. */
export type ExecutionStatus = 'pending' | 'running' | 'success' | 'failed' | 'lost'

/** How an execution ended. Output is in the log files, never in here. */
export interface ExecutionResult {
  /** -1 when it never started or its code is unknown. */
  readonly exitCode: number
  /** Ended by a signal from outside, by `stop`, or by a limit. */
  readonly killed: boolean
  /** Which limit ended it, if one did. */
  readonly limit?: 'time' | 'memory' | 'output'
  /** Empty for exit code 0; otherwise one line for the user. */
  readonly error: string
}

/** Steps of a start that may take long. */
export type StartProgress =
  | {
      readonly step: 'pulling'
      readonly image: string /** 0 to 1; absent while unknown. */
      readonly fraction?: number
    }
  | { readonly step: 'creating' }
  | { readonly step: 'started' }

/** A sample of what an execution uses. */
export interface ExecutionStats {
  readonly cpuPercent: number
  readonly memoryUsedBytes: number
  readonly memoryLimitBytes: number
  readonly networkRxBytes: number
  readonly networkTxBytes: number
}

/** What a command run inside the workload gave back. */
export interface ExecOutcome {
  readonly exitCode: number
  /** At most `MAX_EXEC_OUTPUT_BYTES` of each stream. */
  readonly stdout: string
  readonly stderr: string
}

/** Observers of a start; see each member. */
export interface StartOptions extends AbortOptions {
  onProgress?: (progress: StartProgress) => void
  /**
   * Called with the handle before the workload begins to run, and awaited: the caller stores it, so that a
   * crash after this point loses nothing.
   */
  onHandle?: (handle: ExecutionHandle) => Promise<void> | void
}

/** Runs workloads of one kind on this machine. */
export interface Executor {
  readonly type: ExecutorType

  /** Whether it can run here and now. Cheap; called again when its answer may have changed. Never throws. */
  fingerprint(options?: AbortOptions): Promise<Fingerprint>

  /**
   * Checks the engine's parameters without running anything. Returns what is wrong, one line each; empty when
   * all is well.
   */
  validate(params: Readonly<Record<string, unknown>>): string[]

  /**
   * Starts an execution and returns when it runs. With a signal fired in between, whatever was made is removed.
   * @throws ExecutorError `EXECUTOR_UNAVAILABLE`, `EXECUTOR_IMAGE`, `EXECUTOR_START_FAILED`, `EXECUTOR_REFUSED`.
   */
  start(request: ExecutionRequest, options?: StartOptions): Promise<ExecutionHandle>

  /**
   * Takes up an execution of an earlier daemon by its stored handle and keeps its logs flowing.
   * Returns the status it has now; `lost` when nothing is left of it. Calling it for a known execution is harmless.
   */
  recover(handle: ExecutionHandle, options?: AbortOptions): Promise<ExecutionStatus>

  /** Resolves when it has ended, at once when it had; the log files are then complete. */
  wait(handle: ExecutionHandle, options?: AbortOptions): Promise<ExecutionResult>

  status(handle: ExecutionHandle, options?: AbortOptions): Promise<ExecutionStatus>

  /** Asks it to end, and kills it after `graceMs` (default 10 000). Resolves when it has ended. Ended or unknown: no error. */
  stop(handle: ExecutionHandle, options?: AbortOptions & { graceMs?: number }): Promise<void>

  /** Stops it if need be and removes all that is left of it but the results directory. Twice: no error. */
  remove(handle: ExecutionHandle, options?: AbortOptions): Promise<void>

  /** @throws ExecutorError `EXECUTOR_NOT_RUNNING`. */
  stats(handle: ExecutionHandle, options?: AbortOptions): Promise<ExecutionStats>

  /** Runs a command inside. @throws ExecutorError `EXECUTOR_NOT_RUNNING`, `EXECUTOR_UNSUPPORTED`. */
  exec(handle: ExecutionHandle, command: readonly string[], options?: AbortOptions): Promise<ExecOutcome>

  /** Execution ids of everything this executor instance (by its `ownerId`) has on the machine, running or not. */
  list(options?: AbortOptions): Promise<string[]>

  /** Releases clients, timers and log followers. Workloads go on running: they are found again by `recover`. */
  close(): Promise<void>
}
