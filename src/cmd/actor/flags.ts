import type { FlagTable } from '../cli/flags.ts'

/** Flags of everything that makes a message (cli-api-config §2.8). */
export const MESSAGE_FLAGS = {
  context: {
    kind: 'string',
    short: 'c',
    description: 'key and capability context to act with',
    default: 'user'
  },
  dest: {
    kind: 'string',
    short: 'd',
    description: 'DID, peer id or handle of the node; the local one unless given'
  },
  expiry: { kind: 'time', short: 'e', description: 'time the message expires' },
  timeout: { kind: 'duration', short: 't', description: 'time the message lives, for example 90s' }
} as const satisfies FlagTable

/** Of these only one may be given. */
export const MESSAGE_EXCLUSIVE = [['expiry', 'timeout']] as const

/** `nunet actor msg`. */
export const MSG_FLAGS = {
  ...MESSAGE_FLAGS,
  broadcast: { kind: 'string', short: 'b', description: 'topic: make a broadcast' },
  invoke: { kind: 'bool', short: 'i', description: 'make an invocation, which wants a reply' }
} as const satisfies FlagTable
