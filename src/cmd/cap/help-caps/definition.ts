import { command } from '../../cli/command.ts'
import { HELP_CAPS_FLAGS } from './flags.ts'
import { helpCapsHandler } from './handler.ts'

/** `nunet cap help-caps`. */
export const helpCaps = command({
  name: 'help-caps',
  summary: 'list the capabilities and what each allows',
  description:
    "A capability includes everything below it: '/dms/node' lets do what '/dms/node/peers' does. To be broadcast it needs the topic as well. Every behaviour of a node has the capability of its own name.",
  flags: HELP_CAPS_FLAGS,
  examples: ['nunet cap help-caps'],
  exitCodes: 'compatible',
  handler: helpCapsHandler
})
