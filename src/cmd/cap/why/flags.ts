import type { FlagTable } from '../../cli/flags.ts'

/** `nunet cap why`. */
export const WHY_FLAGS = {
  context: { kind: 'string', short: 'c', description: 'capability context of the sender', default: 'user' },
  dest: {
    kind: 'string',
    description: 'receiver: name of a context here, DID or peer id',
    default: 'dms'
  },
  topic: { kind: 'string', short: 't', description: 'ask about a broadcast in this topic' },
  for: {
    kind: 'duration',
    description: 'how long the message lives: what backs it must last as long',
    default: '30s'
  },
  ask: {
    kind: 'string',
    description: 'ask the receiver itself what it trusts, with this context; the local node must run'
  },
  output: { kind: 'string', short: 'o', description: "'text' or 'json'", default: 'text' }
} as const satisfies FlagTable
