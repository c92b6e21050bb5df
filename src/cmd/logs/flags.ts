import type { FlagTable } from '../cli/flags.ts'
import { ACTING_FLAGS } from '../deployments/flags.ts'

/** Flags of `nunet logs`. */
export const LOGS_FLAGS = {
  ...ACTING_FLAGS,
  follow: { kind: 'bool', short: 'f', description: 'go on as the logs grow' },
  stream: { kind: 'string', description: "'stdout', 'stderr' or 'both'", default: 'both' },
  tail: { kind: 'uint', description: 'begin with the last lines, so many of each log' }
} as const satisfies FlagTable
