import { createKeyStore } from '../../lib/crypto/index.ts'
import type { Handler } from '../cli/command.ts'
import type { FlagTable } from '../cli/flags.ts'
import { noKey } from '../session/context-file.ts'
import { userPaths } from '../session/paths.ts'
import { loadSettings } from '../session/settings.ts'
import { openSigner } from '../session/signer.ts'
import { walletKindOf } from '../session/wallet-name.ts'

/** `nunet key did`. */
export const keyDidHandler: Handler<FlagTable> = {
  async run({ cli, args, globals }) {
    const [name = ''] = args
    const config = loadSettings(cli, globals)
    const keys = createKeyStore(cli, { directory: userPaths(config).keys })
    if (walletKindOf(name) === undefined && !(await keys.exists(name))) {
      throw noKey(name, userPaths(config).keys, await keys.list())
    }
    const { did } = await openSigner(cli, { config, globals, name })
    cli.terminal.out(`${did}\n`)
    return 0
  }
}
