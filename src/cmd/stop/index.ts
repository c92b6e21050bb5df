import { command } from '../cli/command.ts'
import { ACTING_FLAGS } from '../deployments/flags.ts'
import { stopHandler } from './handler.ts'

export const stop = command({
  name: 'stop',
  summary: 'stop deployments',
  description:
    'Stops the workloads of deployments and frees what they hold. The beginning of a deployment id is enough.',
  words: ['<deployment>', '[deployment]…'],
  flags: ACTING_FLAGS,
  examples: ['nunet stop 3f2a'],
  exitCodes: 'human',
  handler: stopHandler
})
