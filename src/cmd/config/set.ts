import { writeConfigValue } from '../../config/index.ts'
import { errorCode, errorMessage, NuError } from '../../utils/index.ts'
import type { Handler } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import type { FlagTable } from '../cli/flags.ts'
import { configSources } from '../session/settings.ts'

/** `nunet config set`. */
export const configSetHandler: Handler<FlagTable> = {
  async run({ cli, args, globals }) {
    const [name = '', value = ''] = args
    try {
      const { path, created } = writeConfigValue(cli, configSources(cli, globals), name, value)
      cli.terminal.err(`${created ? 'Created' : 'Updated'} config file: ${path}\nApplied changes.\n`)
      return 0
    } catch (cause) {
      throw new CommandError(`failed to set config: ${errorMessage(cause)}`, {
        cause,
        details: { code: errorCode(cause) },
        ...(cause instanceof NuError && cause.hint !== undefined ? { hint: cause.hint } : {})
      })
    }
  }
}
