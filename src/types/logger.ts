/** Severity. `error`: someone must act; `warn`: it may get worse; `info`: rare state changes; `debug`: per message. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** Structured fields of a log line. Keys, tokens, passphrases and envelopes never go in. */
export type LogFields = Readonly<Record<string, unknown>>

/** A structured logger: the message is constant text, the data goes into the fields. */
export interface Logger {
  error(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
  /** A logger that adds `fields` to every line, for example `{ component: 'network' }`. */
  child(fields: LogFields): Logger
}
