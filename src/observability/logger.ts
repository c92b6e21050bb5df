import type { Clock, LogFields, Logger, LogLevel } from '../types/index.ts'
import { LEVEL_WEIGHTS } from './constants.ts'
import { safeField } from './fields.ts'
import { type Entry, formatJson, formatPretty } from './format.ts'

/** What a logger needs from outside. */
export interface LoggerDeps {
  readonly clock: Pick<Clock, 'nowMs'>
  /** Takes one line without its line break. What it throws is swallowed: logging never stops the work. */
  readonly write: (line: string) => void
}

/** Settings of a logger. */
export interface LoggerOptions {
  /** The least severe level that is written. */
  readonly level: LogLevel
  /** Added to every line. */
  readonly fields?: LogFields
  /** `json` (default) for files and programs, `pretty` for a terminal. */
  readonly format?: 'json' | 'pretty'
  /** Colours in the pretty form. Default false. */
  readonly colour?: boolean
}

/** A logger whose level, shared with all its children, can be changed while it runs. */
export interface LeveledLogger extends Logger {
  level: LogLevel
}

/** What a logger and its children share. */
interface Shared {
  level: LogLevel
  readonly deps: LoggerDeps
  readonly format: (entry: Entry) => string
}

/**
 * A structured logger that writes one line per call. Our own: pino was measured at +7 MB of resident memory and
 * 19 ms of start-up, for transports and serialisers we do not use.
 */
export function createLogger(deps: LoggerDeps, options: LoggerOptions): LeveledLogger {
  const { level, fields = {}, format = 'json', colour = false } = options
  const shared: Shared = {
    level,
    deps,
    format: format === 'json' ? formatJson : entry => formatPretty(entry, colour)
  }
  return new LineLogger(shared, safeFields(fields))
}

class LineLogger implements LeveledLogger {
  readonly #shared: Shared
  readonly #fields: Readonly<Record<string, unknown>>

  constructor(shared: Shared, fields: Readonly<Record<string, unknown>>) {
    this.#shared = shared
    this.#fields = fields
  }

  get level(): LogLevel {
    return this.#shared.level
  }

  set level(level: LogLevel) {
    this.#shared.level = level
  }

  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields)
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields)
  }

  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, fields)
  }

  child(fields: LogFields): LeveledLogger {
    return new LineLogger(this.#shared, { ...this.#fields, ...safeFields(fields) })
  }

  #write(level: LogLevel, message: string, fields: LogFields = {}): void {
    const { deps, format } = this.#shared
    if (LEVEL_WEIGHTS[level] < LEVEL_WEIGHTS[this.#shared.level]) return
    try {
      const entry = {
        atMs: deps.clock.nowMs(),
        level,
        message,
        fields: { ...this.#fields, ...safeFields(fields) }
      }
      deps.write(format(entry))
    } catch {
      // A full disk or a closed terminal is the sink's matter; whoever logs goes on.
    }
  }
}

function safeFields(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, safeField(name, value)]))
}

/** A logger that writes nothing. */
export const nullLogger: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  child: () => nullLogger
}

/** One logger that hands every line to several, for example a terminal and a file with different forms. */
export function combineLoggers(...loggers: readonly Logger[]): Logger {
  const toAll = (level: LogLevel) => (message: string, fields?: LogFields) => {
    for (const logger of loggers) logger[level](message, fields)
  }
  return {
    error: toAll('error'),
    warn: toAll('warn'),
    info: toAll('info'),
    debug: toAll('debug'),
    child: fields => combineLoggers(...loggers.map(logger => logger.child(fields)))
  }
}

/** Level names of the existing system (services §2.2) and ours; what stops a Go program is an error here. */
const LEVEL_NAMES: ReadonlyMap<string, LogLevel> = new Map([
  ['debug', 'debug'],
  ['info', 'info'],
  ['warn', 'warn'],
  ['warning', 'warn'],
  ['error', 'error'],
  ['dpanic', 'error'],
  ['panic', 'error'],
  ['fatal', 'error']
])

/** The level of a configured name, whatever its case; `info` for one that is not known. */
export function parseLogLevel(name: string): LogLevel {
  return LEVEL_NAMES.get(name.trim().toLowerCase()) ?? 'info'
}
