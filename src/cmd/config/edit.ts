import { createConfigFile, loadConfig } from '../../config/index.ts'
import type { Handler } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import type { FlagTable } from '../cli/flags.ts'
import { configSources } from '../session/settings.ts'

/** `nunet config edit`: the editor has the terminal until it ends; what it wrote is checked. */
export const configEditHandler: Handler<FlagTable> = {
  async run({ cli, globals }) {
    const { editor } = cli.environment
    if (editor === undefined)
      throw new CommandError('$EDITOR not set', { hint: 'for example: EDITOR=nano nunet config edit' })
    const sources = configSources(cli, globals)
    const { path } = createConfigFile(cli, sources)
    cli.terminal.err(`Opening '${path}' with ${editor}\n`)
    await runEditor(editor, path)
    loadConfig(sources)
    return 0
  }
}

/** $EDITOR may hold arguments (`code --wait`), so a shell splits it; the path is passed apart and never read by the shell. */
async function runEditor(editor: string, path: string): Promise<void> {
  const { spawn } = await import('node:child_process')
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', path], { stdio: 'inherit' })
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject).once('exit', resolve)
  const code = await promise
  if (code !== 0)
    throw new CommandError(`editor '${editor}' ended with exit status ${code ?? 'unknown'}`, {
      hint: 'the file stays as the editor left it'
    })
}
