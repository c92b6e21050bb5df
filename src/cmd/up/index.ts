import { command } from '../cli/command.ts'
import { UP_FLAGS } from './flags.ts'
import { upHandler } from './handler.ts'

export const up = command({
  name: 'up',
  summary: 'set up this machine and run the node',
  description:
    'Makes what is missing for a node: keys and capability contexts for its owner and for itself, the right of the owner over it, a configuration file with free ports. Then runs it. What is there already stays as it is, so it may be run again.',
  flags: UP_FLAGS,
  examples: [
    'nunet up',
    'nunet up --trust did:key:… --provide-token token.json --bootstrap /ip4/192.0.2.1/tcp/9000/p2p/12D3KooW…',
    'nunet up --no-run --user-dir ./node1 --bootstrap none'
  ],
  exitCodes: 'human',
  handler: upHandler
})
