import { command } from '../cli/command.ts'
import type { FlagTable } from '../cli/flags.ts'
import { ACTING_FLAGS } from '../deployments/flags.ts'
import { deployHandler } from './handler.ts'

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

export const deploy = command({
  name: 'deploy',
  summary: 'deploy an ensemble file and follow it',
  description:
    'Deploys the workloads of an ensemble file and shows how they come up: until they run, or, when they are tasks, until they have ended. When it cannot be done it says what each provider lacked. Ctrl-C stops the watching, not the deployment.',
  words: ['<file>'],
  flags: DEPLOY_FLAGS,
  examples: [
    'nunet deploy hello.yaml',
    'nunet deploy --logs hello.yaml',
    'id=$(nunet deploy --detach web.yaml)'
  ],
  exitCodes: 'human',
  handler: deployHandler
})
