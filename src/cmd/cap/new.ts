import { join } from 'node:path'
import { createKeyStore } from '../../lib/crypto/index.ts'
import { didOf } from '../../lib/did/index.ts'
import { createCapabilityStore, emptyCapabilityFile } from '../../lib/ucan/index.ts'
import type { Did } from '../../types/index.ts'
import type { Cli, Handler } from '../cli/command.ts'
import { makeKey } from '../key/new.ts'
import { confirm } from '../session/confirm.ts'
import { resolvePassphrase } from '../session/passphrase.ts'
import { userPaths } from '../session/paths.ts'
import { loadSettings } from '../session/settings.ts'
import type { NEW_FLAGS } from './flags.ts'

/** `nunet cap new`. */
export const capNewHandler: Handler<typeof NEW_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const [name = ''] = args
    const paths = userPaths(loadSettings(cli, globals))
    const store = createCapabilityStore(cli, { directory: paths.capabilities })
    if (!flags.force && (await store.exists(name))) {
      await confirm(
        cli,
        globals,
        `capability context '${name}' exists; replacing it loses its anchors`,
        '--force'
      )
    }
    const { did, line } = await keyFor(cli, globals, paths.keys, name)
    await store.save(name, emptyCapabilityFile(did), { signal: cli.signal })
    cli.terminal.out(`${line}\nCreated capability context '${name}' for ${did}\n`)
    return 0
  }
}

/** The DID of the key of that name, which is made when it is missing. */
async function keyFor(
  cli: Cli,
  globals: ReadonlyMap<string, unknown>,
  directory: string,
  name: string
): Promise<{ did: Did; line: string }> {
  const keys = createKeyStore(cli, { directory })
  const isNew = !(await keys.exists(name))
  const passphrase = await resolvePassphrase(cli, globals, { key: name, isNew })
  if (isNew) return { did: await makeKey(cli, keys, name, passphrase), line: `Created key '${name}'` }
  const key = await keys.open(name, passphrase, { signal: cli.signal })
  return { did: didOf(key.publicKey), line: `Using key '${join(directory, `${name}.json`)}'` }
}
