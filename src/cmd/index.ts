/**
 * The command line. `main` runs one command in this process.
 *
 * @packageDocumentation
 */

import { runProcess } from './cli/run.ts'
import { root } from './root.ts'

export type { Command, CommandGroup, CommandNode } from './cli/command.ts'

/** Runs a command line (without the program's own name) and sets the exit code of the process. */
export async function main(argv: readonly string[]): Promise<void> {
  // What nearly every other program understands.
  const words = argv.length === 1 && (argv[0] === '--version' || argv[0] === '-v') ? ['version'] : argv
  process.exitCode = await runProcess(root, words, async options =>
    (await import('./commands.ts')).createSystemCli(options)
  )
}

/** The tree of commands, for the reference page. */
export { root as commandTree }
