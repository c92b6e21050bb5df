import type { Refusal } from '../../types/index.ts'
import { errorCode, NuError } from '../../utils/index.ts'

/** The command line itself is wrong. */
export class UsageError extends NuError {
  override readonly name = 'UsageError'
  readonly code = 'CLI_USAGE'
}

/** A command could not do its work, for a reason the person at the keyboard can act on. */
export class CommandError extends NuError {
  override readonly name = 'CommandError'
  readonly code = 'CLI_FAILED'
}

/** A log cannot be read, now or at all. */
export class LogUnavailableError extends NuError {
  override readonly name = 'LogUnavailableError'
  readonly code = 'CLI_LOG_UNAVAILABLE'
}

/** The person said no, or nobody could be asked. */
export class CancelledError extends NuError {
  override readonly name = 'CancelledError'
  readonly code = 'CLI_CANCELLED'
}

/** No passphrase could be had. */
export class PassphraseError extends NuError {
  override readonly name = 'PassphraseError'
  readonly code = 'CLI_PASSPHRASE'
}

/** Ctrl-C or a termination signal. */
export class InterruptedError extends NuError {
  override readonly name = 'InterruptedError'
  readonly code = 'CLI_INTERRUPTED'
  /** 128 plus the signal's number, the shell's convention. */
  readonly exitCode: number

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(signal === 'SIGINT' ? 'interrupted' : 'terminated')
    this.exitCode = signal === 'SIGINT' ? 130 : 143
  }
}

/** Nobody reads standard output any more, for example `nunet ps | head -1`. Ends the command quietly. */
export class BrokenPipeError extends NuError {
  override readonly name = 'BrokenPipeError'
  readonly code = 'CLI_BROKEN_PIPE'
}

/** The other side answered no and said why. */
export class RefusedError extends NuError {
  override readonly name = 'RefusedError'
  readonly code = 'CLI_REFUSED'
  readonly refusal: Refusal

  constructor(message: string, refusal: Refusal, hint?: string) {
    super(message, hint === undefined ? {} : { hint })
    this.refusal = refusal
  }
}

/** The answer did not come in time. */
export class NoAnswerError extends NuError {
  override readonly name = 'NoAnswerError'
  readonly code = 'CLI_NO_ANSWER'
  override readonly retryable = true
}

/** Exit codes of the human commands; the compatible ones know 0 and 1 only (cli-api-config §1, ux.md). */
export const EXIT = { ok: 0, failed: 1, usage: 2, refused: 3, timedOut: 4, partly: 5 } as const

/** The one table from error codes to exit codes. What is not listed is 1. */
export const EXIT_CODE_OF: Readonly<Record<string, number>> = {
  CLI_USAGE: EXIT.usage,
  CLI_REFUSED: EXIT.refused,
  CLI_NO_ANSWER: EXIT.timedOut,
  API_TIMEOUT: EXIT.timedOut,
  TIME_LIMIT: EXIT.timedOut
}

/** The exit code of something thrown, by the kind of command that threw it. */
export function exitCodeOf(error: unknown, kind: 'compatible' | 'human'): number {
  if (error instanceof InterruptedError) return error.exitCode
  if (error instanceof BrokenPipeError) return EXIT.ok
  if (kind === 'compatible') return EXIT.failed
  return EXIT_CODE_OF[errorCode(error) ?? ''] ?? EXIT.failed
}
