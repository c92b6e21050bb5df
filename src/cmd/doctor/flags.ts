import type { FlagTable } from '../cli/flags.ts'
import { OUTPUT_FLAG } from '../deployments/flags.ts'

/** Flags of `nunet doctor`. */
export const DOCTOR_FLAGS = {
  ...OUTPUT_FLAG,
  context: {
    kind: 'string',
    short: 'c',
    description: 'key and capability context of the node',
    default: 'dms'
  },
  user: { kind: 'string', description: 'key and capability context of its owner', default: 'user' }
} as const satisfies FlagTable
