/** Facts every error of the program may carry beside its message. */
export interface NuErrorOptions extends ErrorOptions {
  /** What the user can do next, as a sentence or a command. */
  hint?: string | undefined
  /** JSON-safe facts: paths, ids, limits. Never secrets. */
  details?: Readonly<Record<string, unknown>>
}

/**
 * Base of all errors the program throws on purpose. A subclass stands for one *reaction* of a caller, its
 * `code` is stable and documented in `docs/errors.md`; callers match on `code`, never on the message.
 */
export abstract class NuError extends Error {
  abstract readonly code: string
  /** True when the same call may succeed later without anything being changed. */
  readonly retryable: boolean = false
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>>

  constructor(message: string, options: NuErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.hint = options.hint
    this.details = options.details ?? {}
  }
}

/** The operation was given up because its time ran out. */
export class TimeLimitError extends NuError {
  override readonly name = 'TimeLimitError'
  readonly code = 'TIME_LIMIT'
  override readonly retryable = true
}

/** A bounded queue or table is full; the newest item was not taken. */
export class CapacityError extends NuError {
  override readonly name = 'CapacityError'
  readonly code = 'CAPACITY_EXCEEDED'
  override readonly retryable = true
}

/** Text or bytes that do not have the form they must have. */
export class SyntaxFault extends NuError {
  override readonly name: string = 'SyntaxFault'
  readonly code: string = 'SYNTAX'
}

/** The message of anything thrown, without its stack. */
export function errorMessage(error: unknown): string {
  if (error instanceof Error) return error.message
  try {
    return String(error)
  } catch {
    return 'unknown error' // an object without a prototype has no text
  }
}

/** The `code` of a NuError or a Node system error (`ENOENT` …), or `undefined`. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
