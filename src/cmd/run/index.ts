import { command } from '../cli/command.ts'
import { RUN_FLAGS } from './flags.ts'
import { runHandler } from './handler.ts'

export const run = command({
  name: 'run',
  summary: 'run the daemon in the foreground',
  description:
    'Runs a node until Ctrl-C or SIGTERM. A key or capability context that is missing is made. SIGUSR1 makes it read its capability context again.',
  flags: RUN_FLAGS,
  examples: ['nunet run', 'nunet run -c dms --rest-port 10000'],
  exitCodes: 'compatible',
  handler: runHandler
})
