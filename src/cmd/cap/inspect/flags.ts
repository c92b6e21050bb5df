import type { FlagTable } from '../../cli/flags.ts'

/** `nunet cap inspect`. */
export const INSPECT_FLAGS = {
  context: {
    kind: 'string',
    short: 'c',
    description: 'also tell what this context makes of them: held, accepted, revoked'
  },
  output: { kind: 'string', short: 'o', description: "'text' or 'json'", default: 'text' }
} as const satisfies FlagTable
