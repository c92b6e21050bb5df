import type { Cli } from '../cli/command.ts'
import { CancelledError } from '../cli/errors.ts'

/**
 * Asks before something is replaced. `--yes` answers for the person; without a terminal the answer is no.
 * @throws CancelledError unless the answer is yes.
 */
export async function confirm(
  cli: Pick<Cli, 'terminal' | 'signal'>,
  globals: ReadonlyMap<string, unknown>,
  statement: string,
  flag: string
): Promise<void> {
  if (globals.get('yes') === true) return
  if (!cli.terminal.canAsk) {
    throw new CancelledError(`operation cancelled: ${statement}`, {
      hint: `use ${flag} if you mean it; there is no terminal to ask on`
    })
  }
  const answer = await cli.terminal.ask(`${statement}. Go on? [y/N] `, { signal: cli.signal })
  if (!/^y(es)?$/i.test(answer.trim())) throw new CancelledError('operation cancelled by user')
}
