import { command } from '../cli/command.ts'
import { LOGS_FLAGS } from './flags.ts'
import { logsHandler } from './handler.ts'

export const logs = command({
  name: 'logs',
  summary: 'print what workloads wrote',
  description:
    "Prints the logs of a deployment's allocations: standard output to standard output, standard error to standard error. The beginning of a deployment id is enough.",
  words: ['<deployment>', '[allocation]'],
  flags: LOGS_FLAGS,
  examples: ['nunet logs 3f2a', 'nunet logs -f --tail 20 3f2a node1.web'],
  exitCodes: 'human',
  handler: logsHandler
})
