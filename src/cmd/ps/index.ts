import { command } from '../cli/command.ts'
import { PS_FLAGS } from './flags.ts'
import { psHandler } from './handler.ts'

export const ps = command({
  name: 'ps',
  summary: 'list deployments and their allocations',
  flags: PS_FLAGS,
  examples: ['nunet ps', 'nunet ps --watch', 'nunet ps --output json'],
  exitCodes: 'human',
  handler: psHandler
})
