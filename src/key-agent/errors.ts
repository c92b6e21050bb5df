import { NuError, type NuErrorOptions } from '../utils/index.ts'

/** What went wrong with the key agent. */
export type KeyAgentErrorCode =
  /** No key agent runs for this user directory. */
  | 'KEY_AGENT_ABSENT'
  /** A key agent runs already for this user directory. */
  | 'KEY_AGENT_RUNNING'
  /** The place of the socket, or who is at its other end, is not this user's own. */
  | 'KEY_AGENT_UNSAFE'
  /** This system cannot tell who is at the other end of a socket, so the agent does not run on it. */
  | 'KEY_AGENT_UNSUPPORTED'
  /** The socket cannot be made. */
  | 'KEY_AGENT_SOCKET'
  /** The agent does not hold this key. */
  | 'KEY_AGENT_LOCKED'
  /** The agent does not do this: it signs tokens only, and only what it understands. */
  | 'KEY_AGENT_REFUSED'
  /** The agent has too much to do, or holds too many keys. */
  | 'KEY_AGENT_BUSY'
  /** Too many wrong passphrases; the next try must wait. */
  | 'KEY_AGENT_WAIT'
  /** The agent did not answer, or not as an agent does. */
  | 'KEY_AGENT_FAILED'

/** The key agent cannot start, cannot be reached, or says no. */
export class KeyAgentError extends NuError {
  override readonly name = 'KeyAgentError'
  readonly code: KeyAgentErrorCode

  constructor(code: KeyAgentErrorCode, message: string, options: NuErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}
