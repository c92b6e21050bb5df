/** Keys and capability contexts of a node and its owner. What exists is left alone. */

import type { Config } from '../../config/index.ts'
import { createKeyStore } from '../../lib/crypto/index.ts'
import { keySigner } from '../../lib/did/index.ts'
import { createCapabilityStore, emptyCapabilityFile } from '../../lib/ucan/index.ts'
import type { Did } from '../../types/index.ts'
import type { Cli } from '../cli/command.ts'
import { makeKey } from '../key/new.ts'
import { resolvePassphrase } from '../session/passphrase.ts'
import { userPaths } from '../session/paths.ts'
import { openSigner } from '../session/signer.ts'

/** Passphrases by key name, asked for once and only when they are needed. */
export class Passphrases {
  readonly #cli: Cli
  readonly #globals: ReadonlyMap<string, unknown>
  readonly #known = new Map<string, string>()

  constructor(cli: Cli, globals: ReadonlyMap<string, unknown>) {
    this.#cli = cli
    this.#globals = globals
  }

  async get(key: string, isNew: boolean): Promise<string> {
    const known = this.#known.get(key) ?? this.#fromDescriptor()
    const passphrase = known ?? (await resolvePassphrase(this.#cli, this.#globals, { key, isNew }))
    this.#known.set(key, passphrase)
    return passphrase
  }

  /** A descriptor can be read once; what it held stands for all keys. */
  #fromDescriptor(): string | undefined {
    return this.#globals.has('passphrase-fd') ? this.#known.values().next().value : undefined
  }
}

/** The DID of a key and context of that name, both made when missing. */
export async function ensureIdentity(
  cli: Cli,
  config: Config,
  name: string,
  passphrases: Passphrases
): Promise<Did> {
  const paths = userPaths(config)
  const keys = createKeyStore(cli, { directory: paths.keys })
  const store = createCapabilityStore(cli, { directory: paths.capabilities })
  const owner = await store.ownerOf(name)
  const hasKey = await keys.exists(name)
  // The context names its owner, so no passphrase is needed to learn who that is.
  if (hasKey && owner !== undefined) {
    cli.terminal.err(`identity '${name}' is there: ${owner}\n`)
    return owner
  }
  const passphrase = (): Promise<string> => passphrases.get(name, !hasKey)
  // A context that is left of a lost key is replaced, and stays sealed when it was.
  const signer = hasKey
    ? await openSigner(cli, { config, globals: new Map(), name, passphrase })
    : keySigner(await makeKey(cli, config, { name, mayReplace: false }, await passphrase()))
  await store.save(name, emptyCapabilityFile(signer.did), { signal: cli.signal, signer })
  cli.terminal.err(`made identity '${name}': ${signer.did}\n`)
  return signer.did
}
