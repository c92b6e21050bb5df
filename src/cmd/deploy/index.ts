import { command } from '../cli/command.ts'
import { DEPLOY_FLAGS } from './flags.ts'
import { deployHandler } from './handler.ts'

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
