import { command } from '../cli/command.ts'
import { broadcastHandler, invokeHandler, sendHandler } from './deliver.ts'
import { MESSAGE_EXCLUSIVE, MSG_FLAGS } from './flags.ts'
import { msgHandler } from './msg.ts'

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

export const send = command({
  name: 'send',
  summary: 'send a message',
  words: ['<msg>'],
  flags: {},
  examples: ['nunet actor send "$(nunet actor msg -c user /public/hello \'{}\')"'],
  exitCodes: 'compatible',
  handler: sendHandler
})

export const invoke = command({
  name: 'invoke',
  summary: 'send a message and print the reply',
  words: ['<msg>'],
  flags: {},
  examples: ['nunet actor invoke "$(nunet actor msg -c user --invoke /public/hello \'{}\')"'],
  exitCodes: 'compatible',
  handler: invokeHandler
})

export const broadcast = command({
  name: 'broadcast',
  summary: 'publish a message and print the replies',
  words: ['<msg>'],
  flags: {},
  examples: [
    'nunet actor broadcast "$(nunet actor msg -c user -b /nunet/hello -t 5s /broadcast/hello \'{}\')"'
  ],
  exitCodes: 'compatible',
  handler: broadcastHandler
})
