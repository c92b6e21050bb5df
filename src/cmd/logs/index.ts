import { command } from '../cli/command.ts'
import type { FlagTable } from '../cli/flags.ts'
import { ACTING_FLAGS } from '../deployments/flags.ts'
import { logsHandler } from './handler.ts'

export const LOGS_FLAGS = {
  ...ACTING_FLAGS,
  follow: { kind: 'bool', short: 'f', description: 'go on as the logs grow' },
  stream: { kind: 'string', description: "'stdout', 'stderr' or 'both'", default: 'both' },
  tail: { kind: 'uint', description: 'begin with the last lines, so many of each log' }
} as const satisfies FlagTable

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
