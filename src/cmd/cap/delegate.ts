import { formatTokenList } from '../../lib/ucan/index.ts'
import type { Handler } from '../cli/command.ts'
import { RefusedError, UsageError } from '../cli/errors.ts'
import { openIdentity } from '../session/identity.ts'
import { loadSettings } from '../session/settings.ts'
import { readCapabilities } from './capabilities.ts'
import { tokenExpiry } from './expiry.ts'
import type { DELEGATE_FLAGS } from './flags.ts'
import { readDid } from './tokens.ts'

/** `nunet cap delegate`: one line of compact JSON. */
export const capDelegateHandler: Handler<typeof DELEGATE_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const request = {
      action: 'delegate' as const,
      subject: readDid(args[0] ?? ''),
      audience: flags.audience === undefined ? undefined : readDid(flags.audience),
      topics: flags.topic,
      capabilities: readCapabilities(flags.cap),
      // 0 takes the expiry of each token that is passed on.
      expiresAtNs: flags['auto-expire'] ? 0n : tokenExpiry(cli.clock, flags),
      depth: BigInt(flags.depth),
      selfSign: readSelfSign(flags['self-sign'])
    }
    const config = loadSettings(cli, globals)
    const { context } = await openIdentity(cli, { config, globals, name: flags.context })
    const tokens = await context.delegate(request)
    if (!tokens.ok)
      throw new RefusedError(
        `context '${flags.context}' cannot delegate this`,
        tokens.error,
        `'nunet cap list -c ${flags.context}' shows what it was given; to give on its own authority use 'nunet cap grant'`
      )
    cli.terminal.out(`${formatTokenList(tokens.value)}\n`)
    return 0
  }
}

function readSelfSign(text: string): 'no' | 'also' | 'only' {
  if (text === 'no' || text === 'also' || text === 'only') return text
  throw new UsageError(`invalid self-sign option "${text}"`, { hint: "choose 'no', 'also' or 'only'" })
}
