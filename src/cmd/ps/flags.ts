import type { FlagTable } from '../cli/flags.ts'
import { ACTING_FLAGS, OUTPUT_FLAG } from '../deployments/flags.ts'

/** Flags of `nunet ps`. */
export const PS_FLAGS = {
  ...ACTING_FLAGS,
  ...OUTPUT_FLAG,
  all: { kind: 'bool', short: 'a', description: 'also those that ended more than a day ago' },
  watch: { kind: 'bool', short: 'w', description: 'show changes until Ctrl-C' }
} as const satisfies FlagTable
