import { NuError, type NuErrorOptions } from '../utils/index.ts'

/** What a caller of the actor layer did that cannot work. Refusals of peers are values, not errors. */
export type ActorErrorCode =
  /** A second actor or waiting call for one inbox. */
  | 'ACTOR_INBOX_TAKEN'
  /** Text that cannot name an inbox. */
  | 'ACTOR_INBOX_INVALID'
  /** A message that no receiver would take: wrong host, no destination, bad signature. */
  | 'ACTOR_MESSAGE_INVALID'
  /** The actor was not started or has been stopped. */
  | 'ACTOR_NOT_RUNNING'

/** A misuse of the actor layer by this process; `code` says which. */
export class ActorError extends NuError {
  override readonly name = 'ActorError'
  readonly code: ActorErrorCode

  constructor(code: ActorErrorCode, message: string, options: NuErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}
