import type { Config } from '../../config/index.ts'
import { generateKey, type PrivateKey } from '../../lib/crypto/index.ts'
import { didOf } from '../../lib/did/index.ts'
import type { Cli, Handler } from '../cli/command.ts'
import { resolvePassphrase } from '../session/passphrase.ts'
import { loadSettings } from '../session/settings.ts'
import { refuseWalletName } from '../session/wallet-name.ts'
import type { KEY_NEW_FLAGS } from './flags.ts'
import { confirmName, type NamedKey, saveKey } from './save-key.ts'

/** `nunet key new`. */
export const keyNewHandler: Handler<typeof KEY_NEW_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const [name = ''] = args
    const config = loadSettings(cli, globals)
    const { mayReplace } = await confirmName(cli, globals, config, { name, force: flags.force })
    const passphrase = await resolvePassphrase(cli, globals, { key: name, isNew: true })
    const key = await makeKey(cli, config, { name, mayReplace }, passphrase)
    cli.terminal.out(`${didOf(key.publicKey)}\n`)
    return 0
  }
}

/** Makes and saves a key. @throws CommandError for the name of a wallet */
export async function makeKey(
  cli: Cli,
  config: Config,
  { name, mayReplace }: Omit<NamedKey, 'key'>,
  passphrase: string
): Promise<PrivateKey> {
  refuseWalletName(name)
  const key = generateKey(cli.random)
  await saveKey(cli, config, { name, key, mayReplace }, passphrase)
  return key
}
