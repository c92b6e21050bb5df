import type { Config } from '../../config/index.ts'
import { createKeyStore, type PrivateKey } from '../../lib/crypto/index.ts'
import { bindPrismDid } from '../../lib/did/index.ts'
import type { Did } from '../../types/index.ts'
import { errorCode, errorMessage } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { oneLine } from '../cli/printable.ts'
import { confirm } from '../session/confirm.ts'
import { checkNewName } from '../session/new-name.ts'
import { userPaths } from '../session/paths.ts'
import { refuseWalletName } from '../session/wallet.ts'

/** A key that is to get a name. */
export interface NamedKey {
  readonly name: string
  readonly key: PrivateKey
  /** The PRISM DID it signs for; its own DID unless given. */
  readonly prismDid?: Did | undefined
}

/** Asks before a key of that name is replaced, unless `force`. @throws CancelledError; CommandError for the name of a wallet */
export async function confirmName(
  cli: Cli,
  globals: ReadonlyMap<string, unknown>,
  config: Config,
  { name, force }: { readonly name: string; readonly force: boolean }
): Promise<void> {
  refuseWalletName(name)
  checkNewName(name)
  const keys = createKeyStore(cli, { directory: userPaths(config).keys })
  if (force || !(await keys.exists(name))) return
  await confirm(cli, globals, `key '${name}' exists; replacing it loses the identity for good`, '--force')
}

/**
 * Seals and saves a key. The PRISM DID of an earlier key of that name goes first: stopped in between, the name stands for
 * a key's own DID, never for a DID of another key.
 */
export async function saveKey(
  cli: Cli,
  config: Config,
  { name, key, prismDid }: NamedKey,
  passphrase: string
): Promise<void> {
  const { signal } = cli
  const keys = createKeyStore(cli, { directory: userPaths(config).keys })
  const directory = config.general.user_dir
  await forgetInAgent(cli, config, name)
  await bindPrismDid(cli, directory, { name, did: undefined }, { signal })
  await keys.save(name, key, passphrase, { signal })
  if (prismDid !== undefined) await bindPrismDid(cli, directory, { name, did: prismDid }, { signal })
}

/** A key agent must not go on signing with the key that is replaced. */
async function forgetInAgent(cli: Cli, config: Config, name: string): Promise<void> {
  try {
    const { findAgent } = await import('./agent-client.ts')
    using client = findAgent(cli, config)
    await client?.lock([name], { signal: cli.signal })
  } catch (error) {
    cli.signal.throwIfAborted()
    if (errorCode(error) === 'KEY_AGENT_ABSENT') return
    cli.terminal.warn(
      `warning: the key agent may still hold the old key '${name}': ${oneLine(errorMessage(error))}\n`
    )
  }
}
