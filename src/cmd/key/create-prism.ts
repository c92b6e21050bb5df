/**
 * `nunet key create-prism`: makes keys and a PRISM DID of them, and has a NeoPRISM service publish it. The keys are sealed
 * before anything is sent, and the DID follows from them: a run that was stopped is finished by the same command.
 */

import type { Config } from '../../config/index.ts'
import {
  createKeyStore,
  generateKey,
  type PrivateKey,
  privateKeyFromProtobuf
} from '../../lib/crypto/index.ts'
import { createPrismOperation, didOfPrismOperation, prismDidOf } from '../../lib/did/index.ts'
import type { Did } from '../../types/index.ts'
import { concatBytes, hexToBytes } from '../../utils/index.ts'
import type { Cli, Handler } from '../cli/command.ts'
import { CommandError, UsageError } from '../cli/errors.ts'
import { resolvePassphrase } from '../session/passphrase.ts'
import { userPaths } from '../session/paths.ts'
import { loadSettings } from '../session/settings.ts'
import type { CREATE_PRISM_FLAGS } from './flags.ts'
import { awaitDocument, submitOperation } from './neoprism.ts'
import { confirmName, saveKey } from './save-key.ts'

/** The key that may change the DID later is kept apart from the one that signs every day. */
const MASTER_SUFFIX = '-prism-master'

interface PrismKeys {
  readonly master: PrivateKey
  readonly authentication: PrivateKey
}

export const keyCreatePrismHandler: Handler<typeof CREATE_PRISM_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    const [name = ''] = args
    const config = loadSettings(cli, globals)
    const service = serviceOf(flags['prism-url'] ?? config.did.prism_resolver)
    const keyType = readKeyType(flags['key-type'])
    const passphrase = (isNew: boolean): Promise<string> =>
      resolvePassphrase(cli, globals, { key: name, isNew })
    const isUnfinished =
      (await prismDidOf(cli.files, config.general.user_dir, name)) !== undefined && !flags.force
    let mayReplace = flags.force
    if (!isUnfinished) {
      // Whoever agreed to lose one of them agreed to the pair.
      for (const wanted of [name, `${name}${MASTER_SUFFIX}`])
        mayReplace =
          (await confirmName(cli, globals, config, { name: wanted, force: flags.force })).mayReplace ||
          mayReplace
    }
    const keys = isUnfinished
      ? await openKeys(cli, config, name, await passphrase(false))
      : await makeKeys(cli, config, { name, keyType, mayReplace }, await passphrase(true))
    const operation = createPrismOperation(keys)
    const did = didOfPrismOperation(operation)
    if (isUnfinished && did !== (await prismDidOf(cli.files, config.general.user_dir, name)))
      throw foreign(name)
    const { terminal } = cli
    terminal.err(`keys are sealed; publishing ${did} at ${service.origin}\n`)
    const submitted = await submitOperation(
      cli,
      service,
      { operation, master: keys.master },
      flags['submission-timeout']
    )
    terminal.out(describe({ name, did, config, transaction: submitted.transaction }))
    if (!flags['wait-confirmation']) {
      terminal.err(
        'others can verify its signatures once the ledger has confirmed it, which takes most of an hour\n'
      )
      return 0
    }
    terminal.err('waiting for the ledger to confirm it; Ctrl-C stops the waiting, not the publication\n')
    await awaitDocument(cli, service, { did, key: keys.authentication.publicKey }, flags.timeout)
    terminal.out('Confirmed: yes\n')
    return 0
  }
}

function describe(made: { name: string; did: Did; config: Config; transaction: string }): string {
  return [
    'Created a PRISM DID',
    `Key name: ${made.name}`,
    `DID: ${made.did}`,
    `Master key: ${made.name}${MASTER_SUFFIX}`,
    `Transaction: ${made.transaction}`,
    ''
  ].join('\n')
}

/** @throws UsageError */
function serviceOf(text: string): URL {
  const url = URL.parse(text)
  if (url !== null && /^https?:$/.test(url.protocol) && !/[?#@]/.test(text)) return url
  const what =
    text === ''
      ? 'no PRISM service is named'
      : `'${text.slice(0, 120)}' is not the address of a PRISM service`
  throw new UsageError(what, {
    hint: "give --prism-url 'https://…', or set it once with 'nunet config set did.prism_resolver'"
  })
}

/** @throws UsageError */
function readKeyType(text: string): 'secp256k1' | 'ed25519' {
  if (text === 'secp256k1' || text === 'ed25519') return text
  throw new UsageError(`unknown key type '${text.slice(0, 40)}'`, { hint: "choose 'secp256k1' or 'ed25519'" })
}

/** The master key is saved first: without it the DID could never be changed. */
async function makeKeys(
  cli: Cli,
  config: Config,
  {
    name,
    keyType,
    mayReplace
  }: { readonly name: string; readonly keyType: 'secp256k1' | 'ed25519'; readonly mayReplace: boolean },
  passphrase: string
): Promise<PrismKeys> {
  const master = generateSecp256k1(cli)
  const authentication = keyType === 'ed25519' ? generateKey(cli.random) : generateSecp256k1(cli)
  const prismDid = didOfPrismOperation(createPrismOperation({ master, authentication }))
  await saveKey(cli, config, { name: `${name}${MASTER_SUFFIX}`, key: master, mayReplace }, passphrase)
  await saveKey(cli, config, { name, key: authentication, prismDid, mayReplace }, passphrase)
  return { master, authentication }
}

function generateSecp256k1({ random }: Pick<Cli, 'random'>): PrivateKey {
  return privateKeyFromProtobuf(concatBytes(hexToBytes('08021220'), random.bytes(32)))
}

/** Keys of an earlier run. @throws KeyStoreError */
async function openKeys(cli: Cli, config: Config, name: string, passphrase: string): Promise<PrismKeys> {
  const keys = createKeyStore(cli, { directory: userPaths(config).keys })
  if (!(await keys.exists(`${name}${MASTER_SUFFIX}`))) throw foreign(name)
  const { signal } = cli
  const master = await keys.open(`${name}${MASTER_SUFFIX}`, passphrase, { signal })
  return { master, authentication: await keys.open(name, passphrase, { signal }) }
}

function foreign(name: string): CommandError {
  return new CommandError(`key '${name}' has a PRISM DID that was not made here`, {
    hint: 'choose another name, or use --force to replace the key and lose that identity here'
  })
}
