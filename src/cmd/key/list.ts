import { createKeyStore } from '../../lib/crypto/index.ts'
import type { Handler } from '../cli/command.ts'
import type { FlagTable } from '../cli/flags.ts'
import { oneLine } from '../cli/printable.ts'
import { userPaths } from '../session/paths.ts'
import { loadSettings } from '../session/settings.ts'

/** `nunet key list`. */
export const keyListHandler: Handler<FlagTable> = {
  async run({ cli, globals }) {
    const keys = createKeyStore(cli, { directory: userPaths(loadSettings(cli, globals)).keys })
    for (const name of await keys.list()) cli.terminal.out(`${oneLine(name)}\n`)
    return 0
  }
}
