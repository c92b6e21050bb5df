import { NuError } from './error.ts'

/** A request over HTTP could not be made, or its answer could not be read. */
export class HttpError extends NuError {
  override readonly name = 'HttpError'
  readonly code = 'HTTP_FAILED'
  override readonly retryable = true
}
