import { createCapabilityStore, formatToken } from '../../lib/ucan/index.ts'
import type { Handler } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import { oneLine } from '../cli/printable.ts'
import { userPaths } from '../session/paths.ts'
import { loadSettings } from '../session/settings.ts'
import type { CONTEXT_FLAGS } from './flags.ts'

/** `nunet cap list`: four headed blocks, an entry a line behind a tab (identity-and-actors §4.4). */
export const capListHandler: Handler<typeof CONTEXT_FLAGS> = {
  async run({ cli, flags, globals }) {
    const store = createCapabilityStore(cli, {
      directory: userPaths(loadSettings(cli, globals)).capabilities
    })
    const file = await store.load(flags.context)
    if (file === undefined) {
      throw new CommandError(`there is no capability context '${flags.context}'`, {
        hint: `make one with 'nunet cap new ${flags.context}'`
      })
    }
    const { terminal } = cli
    terminal.out(formatBlock('roots', file.roots))
    terminal.out(formatBlock('require', file.require.map(formatToken)))
    terminal.out(formatBlock('provide', file.provide.map(formatToken)))
    terminal.out(formatBlock('revoke', file.revoke.map(formatToken)))
    for (const entry of file.setAside)
      terminal.err(`warning: an entry of the file cannot be used: ${oneLine(entry.reason.message)}\n`)
    return 0
  }
}

function formatBlock(title: string, entries: readonly string[]): string {
  return `${title}:\n${entries.map(entry => `\t${entry}\n`).join('')}`
}
