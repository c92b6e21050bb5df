import { formatTokenList } from '../../lib/ucan/index.ts'
import type { Handler } from '../cli/command.ts'
import { UsageError } from '../cli/errors.ts'
import { openIdentity } from '../session/identity.ts'
import { loadSettings } from '../session/settings.ts'
import { readCapabilities } from './capabilities.ts'
import { tokenExpiry } from './expiry.ts'
import type { GRANT_FLAGS } from './flags.ts'
import { readDid } from './tokens.ts'

/** `nunet cap grant`: one line of compact JSON. */
export const capGrantHandler: Handler<typeof GRANT_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const request = {
      action: readAction(flags.action),
      subject: readDid(args[0] ?? ''),
      audience: flags.audience === undefined ? undefined : readDid(flags.audience),
      topics: flags.topic,
      capabilities: readCapabilities(flags.cap),
      expiresAtNs: tokenExpiry(cli.clock, flags),
      depth: BigInt(flags.depth)
    }
    const config = loadSettings(cli, globals)
    const { context } = await openIdentity(cli, { config, globals, name: flags.context })
    cli.terminal.out(`${formatTokenList([await context.grant(request)])}\n`)
    return 0
  }
}

function readAction(text: string): 'delegate' | 'invoke' | 'broadcast' {
  if (text === 'delegate' || text === 'invoke' || text === 'broadcast') return text
  throw new UsageError(`unknown action "${text}"`, { hint: "choose 'delegate', 'invoke' or 'broadcast'" })
}
