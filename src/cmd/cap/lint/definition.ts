import { command } from '../../cli/command.ts'
import { LINT_FLAGS } from './flags.ts'
import { capLintHandler } from './handler.ts'

/** `nunet cap lint`. */
export const lint = command({
  name: 'lint',
  summary: 'find anchors that are too wide, dead, ending soon or superfluous',
  description:
    "Each finding comes with a severity, the reason and the command that mends it. 'error': something does not work or soon will not, or somebody has more power than can be meant. 'warning': should be looked at. 'info': could be tidier. Nothing is changed. Exit code 1 when there is an error, or with --all when a context cannot be read.",
  flags: LINT_FLAGS,
  exclusive: [['context', 'all']],
  examples: [
    'nunet cap lint -c dms',
    'nunet cap lint --all --output json',
    'nunet cap lint --all --warn 14d --error 24h'
  ],
  exitCodes: 'compatible',
  handler: capLintHandler
})
