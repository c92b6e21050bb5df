import { join } from 'node:path'
import { didMethod, parseDid } from '../../lib/did/index.ts'
import type { Did } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import type { Handler } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import { resolvePassphrase } from '../session/passphrase.ts'
import { userPaths } from '../session/paths.ts'
import { warnUnlessPublished } from '../session/published.ts'
import { loadSettings } from '../session/settings.ts'
import type { KEY_NEW_FLAGS } from './flags.ts'
import { readPrivateKey } from './import.ts'
import { confirmName, saveKey } from './save-key.ts'

/** `nunet key import-prism`: five lines that say what was done. */
export const keyImportPrismHandler: Handler<typeof KEY_NEW_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const [name = '', didText = '', text = ''] = args
    const config = loadSettings(cli, globals)
    const prismDid = readPrismDid(didText)
    const key = await readPrivateKey(cli, name, text)
    const { mayReplace } = await confirmName(cli, globals, config, { name, force: flags.force })
    const passphrase = await resolvePassphrase(cli, globals, { key: name, isNew: true })
    await saveKey(cli, config, { name, key, prismDid, mayReplace }, passphrase)
    await warnUnlessPublished(cli, config.did.prism_resolver, prismDid, key.publicKey)
    cli.terminal.out(
      [
        'Imported the key of a PRISM DID',
        `Key name: ${name}`,
        `DID: ${prismDid}`,
        `Key type: ${key.type}`,
        `Key file: ${join(userPaths(config).keys, `${name}.json`)}`,
        ''
      ].join('\n')
    )
    return 0
  }
}

/** @throws CommandError */
function readPrismDid(text: string): Did {
  try {
    const did = parseDid(text)
    if (didMethod(did) === 'prism') return did
  } catch (cause) {
    throw new CommandError(errorMessage(cause), { hint: 'give the short form, did:prism:<64 hex digits>' })
  }
  throw new CommandError(`'${text.slice(0, 120)}' is not a PRISM DID`, {
    hint: "it starts with 'did:prism:'; a key of its own is imported with 'nunet key import'"
  })
}
