/**
 * Executors run workloads: start, watch, stop, and find them again after a restart of the daemon. This door
 * holds the contract; implementations have doors of their own, so that nobody loads what is not used:
 * `executor/docker`, `executor/wasm`, `executor/mock`.
 *
 * @example
 * ```ts
 * const handle = await executor.start(request, { onHandle: handle => store.save(handle), signal })
 * const result = await executor.wait(handle, { signal })
 * await executor.remove(handle)
 * ```
 *
 * @packageDocumentation
 */
export { MAX_EXEC_OUTPUT_BYTES, MAX_LOG_BYTES, STDERR_LOG, STDOUT_LOG, STOP_GRACE_MS } from './constants.ts'
export { ExecutorError, type ExecutorErrorCode } from './errors.ts'
export type {
  ExecOutcome,
  ExecutionHandle,
  ExecutionRequest,
  ExecutionResult,
  ExecutionStats,
  ExecutionStatus,
  Executor,
  ExecutorType,
  Fingerprint,
  Mount,
  PortBinding,
  StartOptions,
  StartProgress
} from './types.ts'
export { DEFAULT_TASK_TIME_LIMIT_MS } from './wasm/constants.ts'
