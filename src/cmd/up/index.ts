import { command } from '../cli/command.ts'
import type { FlagTable } from '../cli/flags.ts'
import { upHandler } from './handler.ts'

export const UP_FLAGS = {
  context: {
    kind: 'string',
    short: 'c',
    description: 'key and capability context of the node',
    default: 'dms'
  },
  user: { kind: 'string', description: 'key and capability context of its owner', default: 'user' },
  trust: { kind: 'strings', description: 'DID of an organisation whose members may deploy here; repeatable' },
  'provide-token': { kind: 'strings', description: 'file with tokens you were given; repeatable' },
  'require-token': { kind: 'strings', description: 'file with tokens that say whom to accept; repeatable' },
  bootstrap: {
    kind: 'strings',
    description: "multiaddress of a node to join through, or 'none'; repeatable"
  },
  listen: { kind: 'strings', description: 'multiaddress to listen on; repeatable' },
  'no-run': { kind: 'bool', description: 'set up only' }
} as const satisfies FlagTable

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
