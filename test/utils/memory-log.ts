import type { LogFields, Logger, LogLevel } from '../../src/types/index.ts'

/** One line a `MemoryLog` was given. */
export interface LogEntry {
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

/** A logger that keeps its lines, for tests that a fault is reported. Assert on fields and levels, not on wording. */
export class MemoryLog implements Logger {
  readonly entries: LogEntry[]
  readonly #fields: LogFields

  constructor(entries: LogEntry[] = [], fields: LogFields = {}) {
    this.entries = entries
    this.#fields = fields
  }

  error(message: string, fields: LogFields = {}): void {
    this.#add('error', message, fields)
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#add('warn', message, fields)
  }

  info(message: string, fields: LogFields = {}): void {
    this.#add('info', message, fields)
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#add('debug', message, fields)
  }

  child(fields: LogFields): Logger {
    return new MemoryLog(this.entries, { ...this.#fields, ...fields })
  }

  #add(level: LogLevel, message: string, fields: LogFields): void {
    this.entries.push({ level, message, fields: { ...this.#fields, ...fields } })
  }
}
