import type { FlagTable } from '../cli/flags.ts'

/** Flags of `nunet run`. */
export const RUN_FLAGS = {
  context: {
    kind: 'string',
    short: 'c',
    description: 'key and capability context of the node',
    default: 'dms'
  }
} as const satisfies FlagTable
