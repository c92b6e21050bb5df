import type { Config } from '../../config/index.ts'
import {
  ETERNL_PROGRAM,
  LEDGER_PROGRAM,
  MAX_LEDGER_ACCOUNT,
  openEternl,
  openLedger,
  type Signer
} from '../../lib/did/index.ts'
import type { Cli } from '../cli/command.ts'
import { UsageError } from '../cli/errors.ts'
import { aliasFile, readLedgerAliases } from './ledger-aliases.ts'
import { type WalletKind, walletKindOf, walletSuffixOf } from './wallet-name.ts'
import { findProgram, runForOutput, runWithOutputFile } from './wallet-program.ts'

/** The signer of a wallet, when the name is one of a wallet. Asks the wallet for its key. @throws WalletError, CommandError */
export async function openWallet(cli: Cli, config: Config, name: string): Promise<Signer | undefined> {
  const kind = walletKindOf(name)
  return kind === undefined ? undefined : await connectWallet(cli, config, kind, walletSuffixOf(name))
}

/** Finds the wallet's program and has it show its key. */
async function connectWallet(
  cli: Cli,
  config: Config,
  kind: WalletKind,
  suffix: string | undefined
): Promise<Signer> {
  const { signal } = cli
  if (kind === 'eternl') {
    const path = await findProgram(cli, ETERNL_PROGRAM)
    return await openEternl({ run: hex => runForOutput(cli, path, [hex]) }, { signal })
  }
  const account = await accountOf(cli, config, suffix)
  const path = await findProgram(cli, LEDGER_PROGRAM)
  const run = (action: string, words: readonly string[]): Promise<Uint8Array> =>
    runWithOutputFile(cli, path, file => [action, '-o', file, ...words])
  return await openLedger({ run }, { account }, { signal })
}

/** Digits are an account, a known alias is its account, and every other name is account 0, as existing clients have it. */
async function accountOf(cli: Cli, config: Config, suffix: string | undefined): Promise<number> {
  if (suffix === undefined) return 0
  if (suffix === '')
    throw new UsageError("the name behind 'ledger:' is empty", { hint: "for example 'ledger:user'" })
  if (!/^\d+$/.test(suffix)) return (await readLedgerAliases(cli, aliasFile(config))).get(suffix) ?? 0
  const account = Number(suffix)
  if (account <= MAX_LEDGER_ACCOUNT) return account
  throw new UsageError(`Ledger account ${suffix} does not exist; the highest is ${MAX_LEDGER_ACCOUNT}`)
}
