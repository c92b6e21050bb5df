import { createKeyStore, generateKey, type PrivateKey } from '../../lib/crypto/index.ts'
import { didOf } from '../../lib/did/index.ts'
import type { Cli, Handler } from '../cli/command.ts'
import { confirm } from '../session/confirm.ts'
import { resolvePassphrase } from '../session/passphrase.ts'
import { userPaths } from '../session/paths.ts'
import { loadSettings } from '../session/settings.ts'
import type { KEY_NEW_FLAGS } from './flags.ts'

/** `nunet key new`. */
export const keyNewHandler: Handler<typeof KEY_NEW_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const [name = ''] = args
    const config = loadSettings(cli, globals)
    const keys = createKeyStore(cli, { directory: userPaths(config).keys })
    if (!flags.force && (await keys.exists(name))) {
      await confirm(cli, globals, `key '${name}' exists; replacing it loses the identity for good`, '--force')
    }
    const passphrase = await resolvePassphrase(cli, globals, { key: name, isNew: true })
    const key = await makeKey(cli, keys, name, passphrase)
    cli.terminal.out(`${didOf(key.publicKey)}\n`)
    return 0
  }
}

/** Makes and saves a key. */
export async function makeKey(
  cli: Pick<Cli, 'random' | 'signal'>,
  keys: ReturnType<typeof createKeyStore>,
  name: string,
  passphrase: string
): Promise<PrivateKey> {
  const key = generateKey(cli.random)
  await keys.save(name, key, passphrase, { signal: cli.signal })
  return key
}
