/**
 * Contexts whose key is in a wallet, by their name (identity-and-actors §2.5, §2.6): `ledger`, `ledger:<name>`,
 * `eternl`, `eternl:<name>`.
 */

import { CommandError } from '../cli/errors.ts'

/** The kinds of wallets; a name that starts with one of these words means a wallet. */
export type WalletKind = 'ledger' | 'eternl'

const KINDS: readonly WalletKind[] = ['ledger', 'eternl']

/** The wallet a name means; `undefined` for the name of a key. */
export function walletKindOf(name: string): WalletKind | undefined {
  return KINDS.find(kind => name.startsWith(kind))
}

/** The part behind the first colon: an account, an alias, or simply the name of the context. */
export function walletSuffixOf(name: string): string | undefined {
  const colon = name.indexOf(':')
  return colon < 0 ? undefined : name.slice(colon + 1)
}

/**
 * Name of the capability file and of the messages' context: `user` of `ledger:user` (identity-and-actors §2.5). Every
 * command that turns a context's name into a file goes by this.
 */
export function contextNameOf(name: string): string {
  return (walletKindOf(name) === undefined ? undefined : walletSuffixOf(name)) || name
}

/** A key of such a name could never be used. @throws CommandError */
export function refuseWalletName(name: string): void {
  const kind = walletKindOf(name)
  if (kind === undefined) return
  throw new CommandError(
    `'${name}' cannot be the name of a key: names that start with '${kind}' mean a wallet`,
    {
      hint: 'choose another name'
    }
  )
}
