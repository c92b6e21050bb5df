import { command } from '../cli/command.ts'
import type { FlagTable } from '../cli/flags.ts'
import { broadcastHandler, invokeHandler, sendHandler } from './deliver.ts'
import { msgHandler } from './msg.ts'

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

export const MSG_FLAGS = {
  ...MESSAGE_FLAGS,
  broadcast: { kind: 'string', short: 'b', description: 'topic: make a broadcast' },
  invoke: { kind: 'bool', short: 'i', description: 'make an invocation, which wants a reply' }
} as const satisfies FlagTable

export const msg = command({
  name: 'msg',
  summary: 'make a message',
  description:
    'Builds and signs a message and prints it. Send it with actor send, invoke or broadcast before it expires.',
  words: ['<behavior>', '<payload>'],
  flags: MSG_FLAGS,
  exclusive: [...MESSAGE_EXCLUSIVE, ['broadcast', 'invoke'], ['broadcast', 'dest']],
  examples: [
    "nunet actor msg -c user --invoke /public/hello '{}'",
    "nunet actor msg -c user --broadcast /nunet/hello /broadcast/hello '{}'"
  ],
  exitCodes: 'compatible',
  handler: msgHandler
})

const SENT_FLAGS = {} as const satisfies FlagTable

export const send = command({
  name: 'send',
  summary: 'send a message',
  words: ['<msg>'],
  flags: SENT_FLAGS,
  examples: ['nunet actor send "$(nunet actor msg -c user /public/hello \'{}\')"'],
  exitCodes: 'compatible',
  handler: sendHandler
})

export const invoke = command({
  name: 'invoke',
  summary: 'send a message and print the reply',
  words: ['<msg>'],
  flags: SENT_FLAGS,
  examples: ['nunet actor invoke "$(nunet actor msg -c user --invoke /public/hello \'{}\')"'],
  exitCodes: 'compatible',
  handler: invokeHandler
})

export const broadcast = command({
  name: 'broadcast',
  summary: 'publish a message and print the replies',
  words: ['<msg>'],
  flags: SENT_FLAGS,
  examples: [
    'nunet actor broadcast "$(nunet actor msg -c user -b /nunet/hello -t 5s /broadcast/hello \'{}\')"'
  ],
  exitCodes: 'compatible',
  handler: broadcastHandler
})
