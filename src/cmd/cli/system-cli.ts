import { readEnvironment } from '../../config/index.ts'
import { createSystemFiles, systemClock, systemRandom } from '../../utils/index.ts'
import type { Cli } from './command.ts'
import { createSystemTerminal } from './system-terminal.ts'

/** The collaborators of a command in this process. */
export function createSystemCli(options: {
  globals: ReadonlyMap<string, unknown>
  signal: AbortSignal
}): Cli {
  const { globals, signal } = options
  const environment = readEnvironment()
  return {
    terminal: createSystemTerminal({
      noInput: globals.get('no-input') === true || environment.ci,
      noColour: globals.get('no-color') === true || environment.noColour,
      quiet: globals.get('quiet') === true
    }),
    clock: systemClock,
    random: systemRandom,
    files: createSystemFiles({ clock: systemClock, random: systemRandom }),
    environment,
    directory: process.cwd(),
    signal
  }
}
