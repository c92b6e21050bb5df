import type { FlagTable } from '../cli/flags.ts'
import { ACTING_FLAGS } from '../deployments/flags.ts'

/** Flags of `nunet deploy`. */
export const DEPLOY_FLAGS = {
  ...ACTING_FLAGS,
  timeout: { kind: 'duration', short: 't', description: 'time to get everything running', default: '5m' },
  detach: { kind: 'bool', short: 'd', description: 'print the id and do not follow' },
  logs: { kind: 'bool', description: 'print what the workloads write as it comes' },
  output: {
    kind: 'string',
    short: 'o',
    description: "'text', or 'json' for the outcome on standard output",
    default: 'text'
  }
} as const satisfies FlagTable
