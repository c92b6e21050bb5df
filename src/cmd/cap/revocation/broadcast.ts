import type { Handler } from '../../cli/command.ts'
import { UsageError } from '../../cli/errors.ts'
import { takeTokens } from '../tokens.ts'
import type { BROADCAST_FLAGS } from './flags.ts'
import { sendRevocations } from './send.ts'

/** `nunet cap broadcast`. */
export const capBroadcastHandler: Handler<typeof BROADCAST_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const revocations = await takeTokens(cli, args[0] ?? '')
    if (revocations.some(({ action }) => action !== 'revoke')) {
      throw new UsageError('this is no revocation', {
        hint: "'nunet cap revoke <tokens>' prints one; 'nunet cap revoke --broadcast' also sends it"
      })
    }
    const revoked = flags.proof === undefined ? [] : await takeTokens(cli, flags.proof)
    await sendRevocations(cli, globals, { revocations, revoked, via: flags.context })
    return 0
  }
}
