import { createKeyStore, generateKey } from '../../lib/crypto/index.ts'
import { didOf } from '../../lib/did/index.ts'
import type { Did } from '../../types/index.ts'
import type { Cli, Handler } from '../cli/command.ts'
import { confirm } from '../session/confirm.ts'
import { resolvePassphrase } from '../session/passphrase.ts'
import { userPaths } from '../session/paths.ts'
import { loadSettings } from '../session/settings.ts'
import type { KEY_NEW_FLAGS } from './index.ts'

/** `nunet key new`. */
export const keyNewHandler: Handler<typeof KEY_NEW_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const [name = ''] = args
    const config = loadSettings(cli, globals)
    const keys = createKeyStore(cli, { directory: userPaths(config).keys })
    if (!flags.force && (await keys.exists(name))) {
      await confirm(cli, globals, `key '${name}' exists; replacing it loses the identity for good`, '--force')
    }
    cli.terminal.out(`${await makeKey(cli, globals, keys, name)}\n`)
    return 0
  }
}

/** Makes and saves a key. The passphrase comes first: nothing is written when there is none. */
export async function makeKey(
  cli: Cli,
  globals: ReadonlyMap<string, unknown>,
  keys: ReturnType<typeof createKeyStore>,
  name: string
): Promise<Did> {
  const passphrase = await resolvePassphrase(cli, globals, { key: name, isNew: true })
  const key = generateKey(cli.random)
  await keys.save(name, key, passphrase, { signal: cli.signal })
  return didOf(key.publicKey)
}
