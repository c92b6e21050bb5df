import { errorCode, errorMessage, NuError, type NuErrorOptions } from '../utils/index.ts'

/** A request that is answered with an error; each code has its status in `STATUS_OF`. */
export type ApiErrorCode =
  /** The body is no envelope. */
  | 'API_BODY_INVALID'
  /** `broadcast` with a message that has a destination or no topic. */
  | 'API_NOT_BROADCAST'
  /** The `Host` header names another machine: DNS rebinding. */
  | 'API_HOST_REFUSED'
  /** A web page from elsewhere. */
  | 'API_ORIGIN_REFUSED'
  | 'API_BODY_TOO_LARGE'
  /** The body claims to be something else than JSON. */
  | 'API_CONTENT_TYPE'
  /** Too many requests are under way. */
  | 'API_BUSY'
  /** A message could not be handed over. */
  | 'API_SEND_FAILED'

/** A refused request. */
export class ApiError extends NuError {
  override readonly name = 'ApiError'
  readonly code: ApiErrorCode

  constructor(code: ApiErrorCode, message: string, options: NuErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}

/** The server could not listen. */
export class ApiListenError extends NuError {
  override readonly name = 'ApiListenError'
  readonly code: 'API_PORT_IN_USE' | 'API_LISTEN_FAILED'

  constructor(code: 'API_PORT_IN_USE' | 'API_LISTEN_FAILED', message: string, options: NuErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}

/** The one table from error codes to HTTP statuses (cli-api-config §4.1). What is not listed is 500. */
export const STATUS_OF: Readonly<Record<string, number>> = {
  API_BODY_INVALID: 400,
  API_NOT_BROADCAST: 400,
  ACTOR_MESSAGE_INVALID: 400,
  ACTOR_INBOX_INVALID: 400,
  ACTOR_NO_REPLY: 408,
  TIME_LIMIT: 408,
  API_HOST_REFUSED: 403,
  API_ORIGIN_REFUSED: 403,
  API_BODY_TOO_LARGE: 413,
  API_CONTENT_TYPE: 415,
  API_BUSY: 503,
  CAPACITY_EXCEEDED: 503,
  ACTOR_NOT_RUNNING: 503,
  API_SEND_FAILED: 500
}

/** Status and text of an error. Only texts of our own errors go out; anything else might tell too much. */
export function errorAnswer(error: unknown): { status: number; text: string } {
  const status = STATUS_OF[errorCode(error) ?? ''] ?? 500
  if (status === 408) return { status, text: 'request timeout' }
  return { status, text: error instanceof NuError ? errorMessage(error) : 'internal error' }
}
