/** Names for accounts of a Ledger, `<user_dir>/ledger_aliases.json` (identity-and-actors §2.5): alias → account. */

import { join } from 'node:path'
import type { Config } from '../../config/index.ts'
import { MAX_LEDGER_ACCOUNT } from '../../lib/did/index.ts'
import type { FileStore } from '../../types/index.ts'
import { readNameMap, updateNameMap } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { UsageError } from '../cli/errors.ts'

/** Characters of an alias; it becomes part of a file name. */
const MAX_ALIAS_LENGTH = 64

/** The file of a user directory. */
export function aliasFile(config: Pick<Config, 'general'>): string {
  return join(config.general.user_dir, 'ledger_aliases.json')
}

/** Aliases with their accounts. An entry that breaks the rules is passed over. */
export async function readLedgerAliases(
  { files }: { files: Pick<FileStore, 'read'> },
  path: string
): Promise<Map<string, number>> {
  return await readNameMap(files, path, readAccount)
}

/** Changes the aliases under their lock. */
export async function updateLedgerAliases(
  cli: Pick<Cli, 'files' | 'clock' | 'signal'>,
  path: string,
  change: (aliases: Map<string, number>) => void
): Promise<void> {
  await updateNameMap(cli, path, readAccount, change, { signal: cli.signal })
}

function readAccount(alias: string, value: unknown): number | undefined {
  return isAlias(alias) && isAccount(value) ? value : undefined
}

/** Checks an alias a person gave. @throws UsageError */
export function checkAlias(alias: string): void {
  if (isAlias(alias)) return
  throw new UsageError(`'${alias.slice(0, MAX_ALIAS_LENGTH)}' cannot be an alias`, {
    hint: `an alias has 1 to ${MAX_ALIAS_LENGTH} letters, digits, dots, dashes or underscores, and not digits only`
  })
}

/** Not empty, no colon and not only digits (§2.5); beyond that, what can stand in a file name. */
function isAlias(alias: string): boolean {
  return (
    /^[\p{L}\p{N}_-][\p{L}\p{N}._-]*$/u.test(alias) &&
    !/^\d+$/.test(alias) &&
    alias.length <= MAX_ALIAS_LENGTH
  )
}

function isAccount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_LEDGER_ACCOUNT
}
