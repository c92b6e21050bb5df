import { NuError, type NuErrorOptions } from '../utils/index.ts'

/** What is wrong with the configuration. */
export type ConfigErrorCode =
  /** The file is not there, or cannot be read or written. */
  | 'CONFIG_FILE'
  /** The file is not JSON. */
  | 'CONFIG_SYNTAX'
  /** A key this program does not know. */
  | 'CONFIG_KEY_UNKNOWN'
  /** A value of the wrong type or out of its bounds. */
  | 'CONFIG_VALUE_INVALID'

/** The configuration cannot be used or changed; nothing was written. */
export class ConfigError extends NuError {
  override readonly name = 'ConfigError'
  readonly code: ConfigErrorCode

  constructor(code: ConfigErrorCode, message: string, options: NuErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}
