import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FIXTURES = join(dirname(dirname(fileURLToPath(import.meta.url))), 'fixtures', 'wallets')

/**
 * Puts stand-ins for `ledger-cli` and `eternl-cli` into a folder, to be the PATH of a command. `settings` are variables
 * they see, for example `FAULT`.
 */
export function installWalletPrograms(
  folder: string,
  settings: Readonly<Record<string, string>> = {}
): string {
  mkdirSync(folder, { recursive: true })
  const variables = Object.entries(settings).map(([name, value]) => `${name}='${value}' `)
  for (const name of ['ledger-cli', 'eternl-cli']) {
    const script = `#!/bin/sh\n${variables.join('')}exec '${process.execPath}' --no-warnings '${join(FIXTURES, name)}.ts' "$@"\n`
    writeFileSync(join(folder, name), script, { mode: 0o755 })
  }
  return folder
}
