import { createConfigFile, getConfigValue, loadConfig } from '../../config/index.ts'
import type { Handler } from '../cli/command.ts'
import type { FlagTable } from '../cli/flags.ts'
import { printPlain } from '../cli/go-print.ts'
import { configSources } from '../session/settings.ts'

/** Values are indented by four spaces (cli-api-config §2.4). */
const INDENT = 4

/** `nunet config get`. A missing file is created with the configuration in effect, as the existing command does. */
export const configGetHandler: Handler<FlagTable> = {
  async run({ cli, args, globals }) {
    const sources = configSources(cli, globals)
    const { path } = createConfigFile(cli, sources)
    const value = getConfigValue(loadConfig(sources), args[0])
    cli.terminal.err(`Found config file at: ${path}\n${printPlain(value, INDENT)}\n`)
    return 0
  }
}
