import type { Config } from '../../config/index.ts'
import type { Signer } from '../../lib/did/index.ts'
import type { Cli } from '../cli/command.ts'

/** The signer of a wallet, when the name is one of a wallet: `ledger`, `ledger:<name>` (identity-and-actors §2.5). */
export async function openWallet(_cli: Cli, _config: Config, _name: string): Promise<Signer | undefined> {
  return undefined
}

/** Name of the capability file and of the messages' context: `user` of `ledger:user` (identity-and-actors §2.5). */
export function contextNameOf(name: string): string {
  return name
}
