import type { Handler } from '../cli/command.ts'
import type { FlagTable } from '../cli/flags.ts'
import { BUILD } from './build.ts'

/** `nunet version`: five lines, the middle one empty (cli-api-config §2.7). */
export const versionHandler: Handler<FlagTable> = {
  async run({ cli }) {
    const lines = [
      'NuNet Device Management Service',
      `Version: ${BUILD.version}`,
      `Commit: ${BUILD.commit}`,
      '',
      `Node Version: ${process.version}`,
      `Build Date: ${BUILD.date}`
    ]
    cli.terminal.out(`${lines.join('\n')}\n`)
    return 0
  }
}
