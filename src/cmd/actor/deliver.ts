/** `nunet actor send|invoke|broadcast`: messages made by `actor msg`. No key is opened: the message is signed already. */

import { decodeEnvelope, type Envelope } from '../../actor/message/index.ts'
import { utf8ToBytes } from '../../utils/index.ts'
import type { Handler, Invocation } from '../cli/command.ts'
import { CommandError, UsageError } from '../cli/errors.ts'
import type { FlagTable } from '../cli/flags.ts'
import { broadcastEnvelope, invokeEnvelope, sendEnvelope } from '../session/exchange.ts'
import { openClient } from '../session/session.ts'
import { loadSettings } from '../session/settings.ts'
import { printReply } from './print-reply.ts'

type Exchange = Parameters<typeof sendEnvelope>[0]

export const sendHandler: Handler<FlagTable> = {
  run: invocation =>
    deliver(invocation, async (exchange, envelope) => {
      await sendEnvelope(exchange, envelope)
      invocation.cli.terminal.out('null\n')
      return 0
    })
}

export const invokeHandler: Handler<FlagTable> = {
  run: invocation =>
    deliver(invocation, async (exchange, envelope) => {
      if (envelope.options.replyTo === '')
        throw new UsageError('the message wants no reply', {
          hint: "make it with 'nunet actor msg --invoke'"
        })
      return printReply(invocation.cli.terminal, (await invokeEnvelope(exchange, envelope)).message)
    })
}

export const broadcastHandler: Handler<FlagTable> = {
  run: invocation =>
    deliver(invocation, async (exchange, envelope) => {
      const { terminal } = invocation.cli
      const { replies, dropped } = await broadcastEnvelope(exchange, envelope)
      for (const refusal of dropped) terminal.err(`warning: dropped a reply: ${refusal.message}\n`)
      return Math.max(0, ...replies.map(reply => printReply(terminal, reply.message)))
    })
}

async function deliver(
  { cli, args, globals }: Invocation<FlagTable>,
  work: (exchange: Exchange, envelope: Envelope) => Promise<number>
): Promise<number> {
  const decoded = decodeEnvelope(utf8ToBytes(args[0] ?? ''))
  if (!decoded.ok)
    throw new CommandError(decoded.error.message, { hint: "make a message with 'nunet actor msg'" })
  const config = loadSettings(cli, globals)
  using client = openClient(cli, config)
  return await work({ client, clock: cli.clock, signal: cli.signal }, decoded.value)
}
