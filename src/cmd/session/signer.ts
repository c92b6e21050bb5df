/**
 * Who signs for an identity, by its name: a wallet, a key that the key agent holds unlocked, or the sealed key of the
 * user directory, which needs its passphrase.
 */

import type { Config } from '../../config/index.ts'
import { createKeyStore } from '../../lib/crypto/index.ts'
import { keySigner, prismDidOf, type Signer, signerFor } from '../../lib/did/index.ts'
import type { Cli } from '../cli/command.ts'
import { findUnlockedKey } from './key-agent.ts'
import { hasPassphrase, resolvePassphrase } from './passphrase.ts'
import { userPaths } from './paths.ts'
import { openWallet } from './wallet-connect.ts'
import { walletKindOf } from './wallet-name.ts'

/** Whose signer is wanted. */
export interface SignerRequest {
  readonly config: Config
  readonly globals: ReadonlyMap<string, unknown>
  /** Name of the identity: of a key, or of a wallet (`ledger`, `ledger:<name>`). */
  readonly name: string
  /** Where the passphrase comes from when one is needed. Default: descriptor, environment, terminal. */
  readonly passphrase?: () => Promise<string>
}

/** @throws KeyStoreError, PassphraseError, WalletError, CommandError of a wallet or of the agent */
export async function openSigner(cli: Cli, request: SignerRequest): Promise<Signer> {
  const { config, name } = request
  const signer = (await findSigner(cli, request)) ?? (await openKey(cli, request))
  if (walletKindOf(name) !== undefined) return signer
  const did = await prismDidOf(cli.files, config.general.user_dir, name)
  return did === undefined ? signer : signerFor(did, signer)
}

/** The sealed key of the user directory. */
async function openKey(cli: Cli, request: SignerRequest): Promise<Signer> {
  const { config, globals, name } = request
  const passphrase = await (request.passphrase ?? (() => askPassphrase(cli, globals, name)))()
  const keys = createKeyStore(cli, { directory: userPaths(config).keys })
  const startedMs = cli.clock.monotonicMs()
  const key = await keys.open(name, passphrase, { signal: cli.signal })
  if (config.general.debug) {
    cli.terminal.err(`debug: key derived in ${(cli.clock.monotonicMs() - startedMs).toFixed(1)} ms\n`)
  }
  return keySigner(key)
}

/** Whether `openSigner` will ask nobody for anything, neither at this terminal nor on a wallet. */
export async function signsUnasked(cli: Cli, request: SignerRequest): Promise<boolean> {
  if (walletKindOf(request.name) !== undefined) return false
  return hasPassphrase(cli, request.globals) || (await findSigner(cli, request)) !== undefined
}

/** A signer that needs no passphrase. */
async function findSigner(cli: Cli, { config, name }: SignerRequest): Promise<Signer | undefined> {
  return (await openWallet(cli, config, name)) ?? (await findUnlockedKey(cli, config, name))
}

async function askPassphrase(cli: Cli, globals: ReadonlyMap<string, unknown>, key: string): Promise<string> {
  return await resolvePassphrase(cli, globals, { key, isNew: false })
}
