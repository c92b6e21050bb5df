import { join } from 'node:path'
import type { Config } from '../../config/index.ts'
import { createKeyStore, type PrivateKey } from '../../lib/crypto/index.ts'
import { bindPrismDid } from '../../lib/did/index.ts'
import type { Did } from '../../types/index.ts'
import { errorCode, errorMessage } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { CancelledError } from '../cli/errors.ts'
import { oneLine } from '../cli/printable.ts'
import { confirm } from '../session/confirm.ts'
import { checkNewName } from '../session/new-name.ts'
import { userPaths } from '../session/paths.ts'
import { refuseWalletName } from '../session/wallet-name.ts'
import { findAgent } from './agent-client.ts'

/** A key that is to get a name. */
export interface NamedKey {
  readonly name: string
  readonly key: PrivateKey
  /** The PRISM DID it signs for; its own DID unless given. */
  readonly prismDid?: Did | undefined
  /** Whether it may take the place of a key of that name: what `confirmName` said. */
  readonly mayReplace: boolean
}

/**
 * Asks before a key of that name is replaced, unless `force`. Without one there is nothing to ask, and none may be replaced
 * that comes meanwhile. @throws CancelledError; CommandError for the name of a wallet, or no name
 */
export async function confirmName(
  cli: Cli,
  globals: ReadonlyMap<string, unknown>,
  config: Config,
  { name, force }: { readonly name: string; readonly force: boolean }
): Promise<{ readonly mayReplace: boolean }> {
  refuseWalletName(name)
  checkNewName(name)
  const keys = createKeyStore(cli, { directory: userPaths(config).keys })
  if (force) return { mayReplace: true }
  if (!(await keys.exists(name))) return { mayReplace: false }
  await confirm(cli, globals, `key '${name}' exists; replacing it loses the identity for good`, '--force')
  return { mayReplace: true }
}

/**
 * Seals and saves a key. The PRISM DID of an earlier key of that name goes first: stopped in between, the name stands for
 * a key's own DID, never for a DID of another key. Of two that make a key of one name at the same time the second fails: the
 * DID that the first printed is not lost. @throws CancelledError
 */
export async function saveKey(
  cli: Cli,
  config: Config,
  { name, key, prismDid, mayReplace }: NamedKey,
  passphrase: string
): Promise<void> {
  const { signal } = cli
  const keys = createKeyStore(cli, { directory: userPaths(config).keys })
  const directory = config.general.user_dir
  await using _lock = await cli.files.lock(join(userPaths(config).keys, `${name}.new`), { signal })
  if (!mayReplace && (await keys.exists(name))) {
    throw new CancelledError(`operation cancelled: key '${name}' was made by another command meanwhile`, {
      hint: `'nunet key did ${name}' prints its DID`
    })
  }
  await forgetInAgent(cli, config, name)
  await bindPrismDid(cli, directory, { name, did: undefined }, { signal })
  await keys.save(name, key, passphrase, { signal })
  if (prismDid !== undefined) await bindPrismDid(cli, directory, { name, did: prismDid }, { signal })
}

/** A key agent must not go on signing with the key that is replaced. */
async function forgetInAgent(cli: Cli, config: Config, name: string): Promise<void> {
  try {
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
