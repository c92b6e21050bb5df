import { NuError, type NuErrorOptions } from '../../utils/index.ts'

/** Stable codes of `JobsError`. */
export type JobsErrorCode =
  /** A change of state that the table does not allow: a fault of the program, not of the user. */
  | 'JOBS_ILLEGAL_TRANSITION'
  /** A stored record cannot be read. */
  | 'JOBS_RECORD_CORRUPT'

/** A fault on the provider side: of the program or of its database, never of a peer. */
export class JobsError extends NuError {
  override readonly name = 'JobsError'
  readonly code: JobsErrorCode

  constructor(code: JobsErrorCode, message: string, options: NuErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}
