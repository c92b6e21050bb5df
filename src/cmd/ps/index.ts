import { command } from '../cli/command.ts'
import type { FlagTable } from '../cli/flags.ts'
import { ACTING_FLAGS, OUTPUT_FLAG } from '../deployments/flags.ts'
import { psHandler } from './handler.ts'

export const PS_FLAGS = {
  ...ACTING_FLAGS,
  ...OUTPUT_FLAG,
  all: { kind: 'bool', short: 'a', description: 'also those that ended more than a day ago' },
  watch: { kind: 'bool', short: 'w', description: 'show changes until Ctrl-C' }
} as const satisfies FlagTable

export const ps = command({
  name: 'ps',
  summary: 'list deployments and their allocations',
  flags: PS_FLAGS,
  examples: ['nunet ps', 'nunet ps --watch', 'nunet ps --output json'],
  exitCodes: 'human',
  handler: psHandler
})
