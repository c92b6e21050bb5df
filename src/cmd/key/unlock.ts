import { createKeyStore } from '../../lib/crypto/index.ts'
import { formatDuration } from '../../utils/index.ts'
import type { Handler } from '../cli/command.ts'
import { CommandError, UsageError } from '../cli/errors.ts'
import { noKey } from '../session/context-file.ts'
import { resolvePassphrase } from '../session/passphrase.ts'
import { userPaths } from '../session/paths.ts'
import { loadSettings } from '../session/settings.ts'
import { walletKindOf } from '../session/wallet-name.ts'
import { openSystemGuard, requireAgent } from './agent-client.ts'
import type { KEY_UNLOCK_FLAGS } from './agent-flags.ts'

/** `nunet key unlock`: nobody types a passphrase before it is clear that an agent of this user takes it. */
export const keyUnlockHandler: Handler<typeof KEY_UNLOCK_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const [name = ''] = args
    if (flags.lifetime !== undefined && flags.lifetime < 1) {
      throw new UsageError('invalid time for --lifetime: it must be longer than nothing')
    }
    if (walletKindOf(name) !== undefined) {
      throw new CommandError(`'${name}' is a wallet, which keeps its key to itself`, {
        hint: 'there is nothing to unlock: commands ask the wallet'
      })
    }
    const config = loadSettings(cli, globals)
    const { keys } = userPaths(config)
    const store = createKeyStore(cli, { directory: keys })
    if (!(await store.exists(name))) throw noKey(name, keys, await store.list())
    using client = requireAgent(cli, config)
    await client.status({ signal: cli.signal })
    const guard = await openSystemGuard()
    const passphrase = await resolvePassphrase(cli, globals, { key: name, isNew: false })
    const lifetimeMs = flags.lifetime === undefined ? undefined : Math.ceil(flags.lifetime)
    const held = await client.unlock(guard, { name, passphrase, lifetimeMs }, { signal: cli.signal })
    const nowMs = cli.clock.nowMs()
    cli.terminal.err(
      `key '${name}' is unlocked for ${formatDuration(held.endsAtMs - nowMs)} at most, and ${formatDuration(held.idleUntilMs - nowMs)} after its last use; lock it with 'nunet key lock ${name}'\n`
    )
    return 0
  }
}
