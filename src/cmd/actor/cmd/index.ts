/** `nunet actor cmd`: behaviours by name (cli-api-config §3). */

import type { CommandGroup } from '../../cli/command.ts'
import { MESSAGE_FLAGS } from '../flags.ts'
import { behaviorCommand } from './behavior.ts'
import { BEHAVIORS } from './behaviors.ts'

export const cmd: CommandGroup = {
  name: 'cmd',
  summary: 'invoke a behaviour of a node and print its reply',
  description:
    'Invokes a behaviour of the local node, or of another one with --dest, and prints the reply as JSON. A reply that says the request failed is still a reply: the exit code is 0.',
  persistent: MESSAGE_FLAGS,
  lenient: true,
  examples: [
    'nunet actor cmd -c user /public/hello',
    'nunet actor cmd -c user --dest 12D3KooW… /public/status',
    'nunet actor cmd -c user -t 10m /dms/node/deployment/new -f ensemble.yaml'
  ],
  children: BEHAVIORS.map(behaviorCommand)
}
