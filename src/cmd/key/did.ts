import { createKeyStore } from '../../lib/crypto/index.ts'
import { didOf } from '../../lib/did/index.ts'
import type { Handler } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import type { FlagTable } from '../cli/flags.ts'
import { resolvePassphrase } from '../session/passphrase.ts'
import { userPaths } from '../session/paths.ts'
import { loadSettings } from '../session/settings.ts'

/** `nunet key did`. */
export const keyDidHandler: Handler<FlagTable> = {
  async run({ cli, args, globals }) {
    const [name = ''] = args
    const config = loadSettings(cli, globals)
    const keys = createKeyStore(cli, { directory: userPaths(config).keys })
    if (!(await keys.exists(name))) {
      throw new CommandError(`there is no key '${name}' in '${userPaths(config).keys}'`, {
        hint: `make one with 'nunet key new ${name}'`
      })
    }
    const passphrase = await resolvePassphrase(cli, globals, { key: name, isNew: false })
    const key = await keys.open(name, passphrase, { signal: cli.signal })
    cli.terminal.out(`${didOf(key.publicKey)}\n`)
    return 0
  }
}
