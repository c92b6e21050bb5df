import { NuError, type NuErrorOptions } from '../utils/index.ts'

/** Reasons of an `ExecutorError`, one per reaction of the caller. */
export type ExecutorErrorCode =
  /** The engine is not there or does not answer. */
  | 'EXECUTOR_UNAVAILABLE'
  /** The image or module is missing, cannot be fetched, or is not what it should be. */
  | 'EXECUTOR_IMAGE'
  /** The engine could not create or start the workload. */
  | 'EXECUTOR_START_FAILED'
  /** The request asks for what this node does not allow. */
  | 'EXECUTOR_REFUSED'
  /** The execution is not running. */
  | 'EXECUTOR_NOT_RUNNING'
  /** This executor cannot do that. */
  | 'EXECUTOR_UNSUPPORTED'

/** An execution that could not be started, reached or changed. */
export class ExecutorError extends NuError {
  override readonly name = 'ExecutorError'
  readonly code: ExecutorErrorCode
  override readonly retryable: boolean

  constructor(code: ExecutorErrorCode, message: string, options: NuErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.retryable = code === 'EXECUTOR_UNAVAILABLE'
  }
}
