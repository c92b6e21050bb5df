import type { FlagTable } from '../cli/flags.ts'

/** Flags of all commands about deployments. */
export const ACTING_FLAGS = {
  context: {
    kind: 'string',
    short: 'c',
    description: 'key and capability context to act with',
    default: 'user'
  }
} as const satisfies FlagTable

export const OUTPUT_FLAG = {
  output: { kind: 'string', short: 'o', description: "'table' or 'json'", default: 'table' }
} as const satisfies FlagTable
