import type { FlagTable } from '../cli/flags.ts'

/** Flags of `nunet up`. */
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
