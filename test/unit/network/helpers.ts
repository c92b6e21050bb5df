import type { LogFields, Logger, LogLevel } from '../../../src/types/index.ts'

export interface LogLine {
  level: LogLevel
  message: string
  fields: LogFields | undefined
}

/** A logger that keeps its lines for assertions. */
export class MemoryLog implements Logger {
  readonly lines: LogLine[]

  constructor(lines: LogLine[] = []) {
    this.lines = lines
  }

  error(message: string, fields?: LogFields): void {
    this.lines.push({ level: 'error', message, fields })
  }

  warn(message: string, fields?: LogFields): void {
    this.lines.push({ level: 'warn', message, fields })
  }

  info(message: string, fields?: LogFields): void {
    this.lines.push({ level: 'info', message, fields })
  }

  debug(message: string, fields?: LogFields): void {
    this.lines.push({ level: 'debug', message, fields })
  }

  child(): Logger {
    return new MemoryLog(this.lines)
  }
}

const nothing = (): void => undefined

export const silentLog: Logger = {
  error: nothing,
  warn: nothing,
  info: nothing,
  debug: nothing,
  child: () => silentLog
}
