import { encodeEnvelope } from '../../actor/message/index.ts'
import type { Handler } from '../cli/command.ts'
import { UsageError } from '../cli/errors.ts'
import { printGoJson, readGoJson } from '../cli/go-print.ts'
import { parseDestination } from '../session/destination.ts'
import { defaultTimeoutMs, openSession } from '../session/session.ts'
import { loadSettings } from '../session/settings.ts'
import { expiryOf } from './expiry.ts'
import type { MSG_FLAGS } from './flags.ts'

/** `nunet actor msg`. */
export const msgHandler: Handler<typeof MSG_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const [behavior = '', payloadText = ''] = args
    const to = flags.dest === undefined ? undefined : parseDestination(flags.dest)
    const request = {
      behavior,
      payload: readPayload(payloadText),
      to,
      expiresAtNs: expiryOf(cli.clock, flags, defaultTimeoutMs(flags.context))
    }
    const config = loadSettings(cli, globals)
    using session = await openSession({ cli, config, globals, context: flags.context })
    const envelope =
      flags.broadcast !== undefined
        ? await session.broadcastMessage(request, flags.broadcast)
        : flags.invoke
          ? await session.invocation(request)
          : await session.message(request)
    cli.terminal.out(`${printGoJson(readGoJson(encodeEnvelope(envelope)))}\n`)
    return 0
  }
}

function readPayload(text: string): unknown {
  if (text === '') return undefined
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch (cause) {
    throw new UsageError(`payload '${text.slice(0, 80)}' is not JSON`, {
      cause,
      hint: "quote it for the shell, for example '{}'"
    })
  }
}
