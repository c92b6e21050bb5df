import { formatToken, type Token } from '../../lib/ucan/index.ts'
import type { Handler } from '../cli/command.ts'
import { RefusedError, UsageError } from '../cli/errors.ts'
import { openIdentity } from '../session/identity.ts'
import { loadSettings } from '../session/settings.ts'
import { changeAnchors } from './change.ts'
import type { REVOKE_FLAGS } from './revocation/flags.ts'
import { sendRevocations } from './revocation/send.ts'
import { takeTokens } from './tokens.ts'

/** `nunet cap revoke`: one revocation a line. With `--broadcast` they are printed first: then nothing is lost when sending fails. */
export const capRevokeHandler: Handler<typeof REVOKE_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    if (flags.via !== undefined && !flags.broadcast)
      throw new UsageError("--via is of use with '--broadcast' only", { hint: "add '--broadcast'" })
    const tokens = await takeTokens(cli, args[0] ?? '')
    const config = loadSettings(cli, globals)
    const { context } = await openIdentity(cli, { config, globals, name: flags.context })
    const revocations: Token[] = []
    for (const token of tokens) {
      const revocation = await context.revoke(token)
      if (!revocation.ok) throw new RefusedError('the token cannot be revoked', revocation.error)
      revocations.push(revocation.value)
    }
    cli.terminal.out(revocations.map(token => `${formatToken(token)}\n`).join(''))
    // Existing clients print such a line as well; here it is talk, so that the output is tokens only (§4.4).
    cli.terminal.err(`Revoked tokens: ${revocations.length}\n`)
    if (!flags.broadcast || revocations.length === 0) return 0
    const anchored = (anchors: typeof context.anchors): void => {
      const added = anchors.addRevoke(revocations)
      if (!added.ok) throw new RefusedError('the revocation was not accepted', added.error)
    }
    await changeAnchors(cli, globals, flags.context, anchored, { tokens: revocations })
    await sendRevocations(cli, globals, { revocations, revoked: tokens, via: flags.via ?? flags.context })
    return 0
  }
}
