import { formatToken } from '../../lib/ucan/index.ts'
import type { Handler } from '../cli/command.ts'
import { RefusedError } from '../cli/errors.ts'
import { openIdentity } from '../session/identity.ts'
import { loadSettings } from '../session/settings.ts'
import type { CONTEXT_FLAGS } from './flags.ts'
import { readTokens } from './tokens.ts'

/** `nunet cap revoke`: one revocation a line. */
export const capRevokeHandler: Handler<typeof CONTEXT_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const tokens = readTokens(args[0] ?? '')
    const config = loadSettings(cli, globals)
    const { context } = await openIdentity(cli, { config, globals, name: flags.context })
    const lines: string[] = []
    for (const token of tokens) {
      const revocation = await context.revoke(token)
      if (!revocation.ok) throw new RefusedError('the token cannot be revoked', revocation.error)
      lines.push(`${formatToken(revocation.value)}\n`)
    }
    cli.terminal.out(lines.join(''))
    return 0
  }
}
