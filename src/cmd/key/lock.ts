import { errorCode } from '../../utils/index.ts'
import type { Cli, Handler } from '../cli/command.ts'
import { UsageError } from '../cli/errors.ts'
import { oneLine } from '../cli/printable.ts'
import { loadSettings } from '../session/settings.ts'
import { findAgent } from './agent-client.ts'
import type { KEY_LOCK_FLAGS } from './agent-flags.ts'

/** `nunet key lock`: what it asks for holds afterwards, whether an agent runs or not. */
export const keyLockHandler: Handler<typeof KEY_LOCK_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    if (flags.all === args.length > 0) {
      throw new UsageError('name the keys to lock, or use --all', {
        hint: 'nunet key agent --status lists them'
      })
    }
    const locked = await lockKeys(cli, globals, flags.all ? undefined : args)
    const { terminal } = cli
    if (locked === undefined) terminal.err('no key agent runs, so no key is unlocked\n')
    else if (flags.all) terminal.err(`locked ${list(locked) || 'nothing: no key was unlocked'}\n`)
    else
      for (const name of args)
        terminal.err(`${oneLine(name)}: ${locked.includes(name) ? 'locked' : 'was not unlocked'}\n`)
    return 0
  }
}

function list(names: readonly string[]): string {
  return names.map(oneLine).join(', ')
}

async function lockKeys(
  cli: Cli,
  globals: ReadonlyMap<string, unknown>,
  names: readonly string[] | undefined
): Promise<readonly string[] | undefined> {
  using client = findAgent(cli, loadSettings(cli, globals))
  try {
    return await client?.lock(names, { signal: cli.signal })
  } catch (error) {
    if (errorCode(error) === 'KEY_AGENT_ABSENT') return undefined
    throw error
  }
}
