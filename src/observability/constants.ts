/** Bounds of a log line and of the log file. Text of strangers ends up in fields, so everything has an end. */

import type { LogLevel } from '../types/index.ts'

/** UTF-16 units of one line; what is longer loses its last fields. */
export const MAX_LINE_LENGTH = 16_384

/** UTF-16 units of one text in a field or of the message. */
export const MAX_TEXT_LENGTH = 4096

/** Nesting of a field; an error with its causes needs two levels each. */
export const MAX_FIELD_DEPTH = 6

/** Members of one object or items of one list. */
export const MAX_FIELD_MEMBERS = 64

/** After an error the log file is left alone for this long, in milliseconds, then tried again. */
export const SINK_RETRY_MS = 5000

/** Weight of a level; a logger writes its own level and what weighs more. */
export const LEVEL_WEIGHTS: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

/** What is written in place of a secret. */
export const REDACTED = '[redacted]'
