import { NuError, type NuErrorOptions } from '../../utils/index.ts'

/** Nobody answers at the REST address: the daemon does not run, or listens elsewhere. */
export class ApiUnreachableError extends NuError {
  override readonly name = 'ApiUnreachableError'
  readonly code = 'API_UNREACHABLE'
  override readonly retryable = true
}

/** The daemon had no answer in time: its own verdict (status 408) or the client's limit. */
export class ApiTimeoutError extends NuError {
  override readonly name = 'ApiTimeoutError'
  readonly code = 'API_TIMEOUT'
  override readonly retryable = true
}

/** The caller's signal fired. */
export class ApiCanceledError extends NuError {
  override readonly name = 'ApiCanceledError'
  readonly code = 'API_CANCELED'
}

/** The daemon answered with another status than 2xx; `details.status` holds it. */
export class ApiStatusError extends NuError {
  override readonly name = 'ApiStatusError'
  readonly code = 'API_STATUS'
  readonly status: number

  constructor(message: string, status: number, options: NuErrorOptions = {}) {
    super(message, { ...options, details: { ...options.details, status } })
    this.status = status
  }
}

/** What answered does not speak the REST protocol of a node, or answered more than allowed. */
export class ApiProtocolError extends NuError {
  override readonly name = 'ApiProtocolError'
  readonly code = 'API_PROTOCOL'
}
