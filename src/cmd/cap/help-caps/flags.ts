import type { FlagTable } from '../../cli/flags.ts'

/** `nunet cap help-caps`. */
export const HELP_CAPS_FLAGS = {
  output: { kind: 'string', short: 'o', description: "'text' or 'json'", default: 'text' }
} as const satisfies FlagTable
