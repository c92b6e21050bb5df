/** `nunet key ledger-alias`: names for accounts of a Ledger (identity-and-actors §2.5). */

import { MAX_LEDGER_ACCOUNT } from '../../lib/did/index.ts'
import type { Handler } from '../cli/command.ts'
import { CommandError, UsageError } from '../cli/errors.ts'
import type { FlagTable } from '../cli/flags.ts'
import { readOutput } from '../deployments/connect.ts'
import type { OUTPUT_FLAG } from '../deployments/flags.ts'
import { aliasFile, checkAlias, readLedgerAliases, updateLedgerAliases } from '../session/ledger-aliases.ts'
import { loadSettings } from '../session/settings.ts'

/** `nunet key ledger-alias set`. */
export const ledgerAliasSetHandler: Handler<FlagTable> = {
  async run({ cli, args, globals }) {
    const [alias = '', index = ''] = args
    checkAlias(alias)
    const account = /^\d{1,10}$/.test(index) ? Number(index) : -1
    if (account < 0 || account > MAX_LEDGER_ACCOUNT) {
      throw new UsageError(`'${index.slice(0, 40)}' is not an account`, {
        hint: `accounts are numbered from 0 to ${MAX_LEDGER_ACCOUNT}`
      })
    }
    await updateLedgerAliases(cli, aliasFile(loadSettings(cli, globals)), aliases =>
      aliases.set(alias, account)
    )
    cli.terminal.err(`'ledger:${alias}' is account ${account}\n`)
    return 0
  }
}

/** `nunet key ledger-alias list`. */
export const ledgerAliasListHandler: Handler<typeof OUTPUT_FLAG> = {
  async run({ cli, flags, globals }) {
    const aliases = await readLedgerAliases(cli, aliasFile(loadSettings(cli, globals)))
    const sorted = [...aliases].sort(([a], [b]) => (a < b ? -1 : 1))
    if (readOutput(flags.output) === 'json')
      cli.terminal.out(`${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`)
    else for (const [alias, account] of sorted) cli.terminal.out(`${alias}\t${account}\n`)
    return 0
  }
}

/** `nunet key ledger-alias remove`. */
export const ledgerAliasRemoveHandler: Handler<FlagTable> = {
  async run({ cli, args, globals }) {
    const [alias = ''] = args
    await updateLedgerAliases(cli, aliasFile(loadSettings(cli, globals)), aliases => {
      if (aliases.delete(alias)) return
      throw new CommandError(`there is no alias '${alias.slice(0, 80)}'`, {
        hint: "'nunet key ledger-alias list' lists them"
      })
    })
    return 0
  }
}
