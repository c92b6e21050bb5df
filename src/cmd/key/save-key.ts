import type { Config } from '../../config/index.ts'
import { createKeyStore, type PrivateKey } from '../../lib/crypto/index.ts'
import { bindPrismDid } from '../../lib/did/index.ts'
import type { Did } from '../../types/index.ts'
import type { Cli } from '../cli/command.ts'
import { confirm } from '../session/confirm.ts'
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
  const keys = createKeyStore(cli, { directory: userPaths(config).keys })
  if (force || !(await keys.exists(name))) return
  await confirm(cli, globals, `key '${name}' exists; replacing it loses the identity for good`, '--force')
}

/**
 * Seals and saves a key. The PRISM DID of an earlier key of that name goes first: stopped in between, the name stands for
 * a key's own DID, never for a DID of another key.
 */
export async function saveKey(
  cli: Pick<Cli, 'files' | 'clock' | 'random' | 'signal'>,
  config: Config,
  { name, key, prismDid }: NamedKey,
  passphrase: string
): Promise<void> {
  const { signal } = cli
  const keys = createKeyStore(cli, { directory: userPaths(config).keys })
  const directory = config.general.user_dir
  await bindPrismDid(cli, directory, { name, did: undefined }, { signal })
  await keys.save(name, key, passphrase, { signal })
  if (prismDid !== undefined) await bindPrismDid(cli, directory, { name, did: prismDid }, { signal })
}
