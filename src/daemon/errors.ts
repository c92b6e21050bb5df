import { NuError, type NuErrorOptions } from '../utils/index.ts'

/** Codes of `DaemonError`. */
export type DaemonErrorCode =
  /** Another daemon serves this context. */
  | 'DAEMON_RUNNING'
  /** The capability file belongs to another key than the one of the same name. */
  | 'DAEMON_CONTEXT_KEY'

/** The daemon cannot start as it is told to. */
export class DaemonError extends NuError {
  override readonly name = 'DaemonError'
  readonly code: DaemonErrorCode

  constructor(code: DaemonErrorCode, message: string, options: NuErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}
