import { readFile } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { type EnsembleProblem, formatProblem, parseEnsembleFile } from '../../dms/ensemble/file/index.ts'
import type { Ensemble } from '../../dms/ensemble/index.ts'
import { errorMessage, fileError } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import { printable } from '../cli/printable.ts'

/** Largest ensemble file read, before modules and included files. */
const MAX_FILE_BYTES = 4 * 2 ** 20

/**
 * Reads an ensemble file. Warnings go to standard error.
 * @throws CommandError that counts the mistakes; each has been printed with its line before.
 */
export async function readEnsemble(
  cli: Pick<Cli, 'terminal' | 'directory' | 'environment' | 'signal'>,
  file: string
): Promise<Ensemble> {
  const path = resolve(cli.directory, file)
  const text = await readText(path, cli.signal)
  const parsed = await parseEnsembleFile(text, {
    fileName: file,
    directory: dirname(path),
    env: cli.environment.variables,
    readFile: async (from, options) =>
      new Uint8Array(await readFile(from, options?.signal ? { signal: options.signal } : {})),
    signal: cli.signal
  })
  if (!parsed.ok) {
    printProblems(cli, parsed.error)
    const count = parsed.error.length
    throw new CommandError(
      `'${basename(file)}' has ${count} ${count === 1 ? 'mistake' : 'mistakes'}; nothing was sent`
    )
  }
  printProblems(cli, parsed.value.warnings)
  return parsed.value.ensemble
}

function printProblems({ terminal }: Pick<Cli, 'terminal'>, problems: readonly EnsembleProblem[]): void {
  for (const problem of problems) terminal.err(`${printable(formatProblem(problem))}\n`)
}

async function readText(path: string, signal: AbortSignal): Promise<string> {
  try {
    const content = await readFile(path, { signal })
    if (content.length > MAX_FILE_BYTES)
      throw new CommandError(`'${path}' is larger than ${MAX_FILE_BYTES} bytes`)
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof CommandError) throw cause
    if (cause instanceof TypeError)
      throw new CommandError(`'${path}' is not a text file: ${errorMessage(cause)}`, { cause })
    throw missingFile(path, cause)
  }
}

function missingFile(path: string, cause: unknown): CommandError {
  const { message } = fileError('read', path, cause)
  return new CommandError(message.replace('ENOENT', 'there is no such file'), {
    cause,
    hint: 'name the ensemble file'
  })
}
