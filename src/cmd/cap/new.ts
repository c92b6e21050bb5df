import { join } from 'node:path'
import type { Config } from '../../config/index.ts'
import { createKeyStore } from '../../lib/crypto/index.ts'
import { keySigner, type Signer } from '../../lib/did/index.ts'
import { createCapabilityStore, emptyCapabilityFile } from '../../lib/ucan/index.ts'
import type { Cli, Handler } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import { makeKey } from '../key/new.ts'
import { confirm } from '../session/confirm.ts'
import { checkNewName } from '../session/new-name.ts'
import { resolvePassphrase } from '../session/passphrase.ts'
import { userPaths } from '../session/paths.ts'
import { warnUnlessPublished } from '../session/published.ts'
import { loadSettings } from '../session/settings.ts'
import { openSigner } from '../session/signer.ts'
import { contextNameOf, walletKindOf } from '../session/wallet-name.ts'
import type { NEW_FLAGS } from './flags.ts'

/** `nunet cap new`. */
export const capNewHandler: Handler<typeof NEW_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const [name = ''] = args
    const isWallet = walletKindOf(name) !== undefined
    if (isWallet && flags.encrypt) throw walletCannotSeal(name)
    const context = contextNameOf(name)
    checkNewName(context)
    const config = loadSettings(cli, globals)
    const store = createCapabilityStore(cli, { directory: userPaths(config).capabilities })
    if (!flags.force && (await store.exists(context))) {
      const statement = `capability context '${context}' exists; replacing it loses its anchors`
      await confirm(cli, globals, statement, '--force')
    }
    const { signer, line } = await signerFor(cli, config, globals, name)
    // A sealed context that is replaced stays sealed; a wallet cannot keep it so.
    const form = flags.encrypt ? 'sealed' : isWallet ? 'plain' : undefined
    await store.save(context, emptyCapabilityFile(signer.did), { signal: cli.signal, signer, form })
    const seal = (await store.isSealed(context)) ? ', sealed' : ''
    cli.terminal.out(`${line}\nCreated capability context '${context}' for ${signer.did}${seal}\n`)
    const resolver = flags['prism-url'] ?? config.did.prism_resolver
    if (signer.publicKey !== undefined && resolver !== '')
      await warnUnlessPublished(cli, resolver, signer.did, signer.publicKey)
    return 0
  }
}

/** Signs for the context: a wallet, or the key of that name, which is made when it is missing. */
async function signerFor(
  cli: Cli,
  config: Config,
  globals: ReadonlyMap<string, unknown>,
  name: string
): Promise<{ signer: Signer; line: string }> {
  if (walletKindOf(name) !== undefined)
    return { signer: await openSigner(cli, { config, globals, name }), line: `Using wallet '${name}'` }
  const directory = userPaths(config).keys
  const keys = createKeyStore(cli, { directory })
  if (await keys.exists(name)) {
    const line = `Using key '${join(directory, `${name}.json`)}'`
    return { signer: await openSigner(cli, { config, globals, name }), line }
  }
  const passphrase = await resolvePassphrase(cli, globals, { key: name, isNew: true })
  const key = await makeKey(cli, config, { name, mayReplace: false }, passphrase)
  return { signer: keySigner(key), line: `Created key '${name}'` }
}

function walletCannotSeal(name: string): CommandError {
  return new CommandError(`the context of wallet '${name}' cannot be sealed`, {
    hint: "a wallet would have to be asked each time the file is read; leave out '--encrypt'"
  })
}
