import { createKeyStore } from '../../lib/crypto/index.ts'
import { createCapabilityStore } from '../../lib/ucan/index.ts'
import { type Cli, type Handler, isGroup } from '../cli/command.ts'
import { UsageError } from '../cli/errors.ts'
import type { FlagTable } from '../cli/flags.ts'
import { locate } from '../cli/locate.ts'
import { oneLine } from '../cli/printable.ts'
import { userPaths } from '../session/paths.ts'
import { loadSettings } from '../session/settings.ts'
import { COMPLETION_SCRIPTS } from './scripts.ts'

/** `nunet completion`. */
export const completionHandler: Handler<FlagTable> = {
  async run({ cli, args }) {
    const script = COMPLETION_SCRIPTS[args[0] ?? '']
    if (script === undefined)
      throw new UsageError(`no completion for shell '${args[0]}'`, { hint: "choose 'bash' or 'zsh'" })
    cli.terminal.out(script)
    return 0
  }
}

/** The last word is the one being typed; the others say where it stands. */
export const completeHandler: Handler<FlagTable> = {
  async run({ cli, args, root, globals }) {
    const typed = args.at(-1) ?? ''
    const { node, inherited, path } = await locate(root, args.slice(0, -1))
    const flags = { ...inherited, ...(isGroup(node) ? {} : node.flags) }
    const candidates = typed.startsWith('-')
      ? Object.entries(flags).flatMap(([name, spec]) => (spec.hidden ? [] : [`--${name}`]))
      : isGroup(node)
        ? node.children.flatMap(child => (child.hidden ? [] : [child.name]))
        : await namesFor(cli, globals, { before: args.at(-2) ?? '', path, flags })
    cli.terminal.out(
      candidates
        .filter(word => word.startsWith(typed))
        .map(word => `${word}\n`)
        .join('')
    )
    return 0
  }
}

/** What is asked for. */
interface Place {
  /** The word in front. */
  readonly before: string
  readonly path: readonly string[]
  readonly flags: FlagTable
}

/** Commands of `nunet key` whose word names a key that is there. */
const OF_A_KEY: ReadonlySet<string> = new Set(['did', 'unlock', 'lock'])

/** Names of contexts and keys of this machine, where such a name is expected. Whoever presses Tab wants no errors. */
async function namesFor(
  cli: Cli,
  globals: ReadonlyMap<string, unknown>,
  { before, path, flags }: Place
): Promise<readonly string[]> {
  const isContext = before === '--context' || (before === '-c' && flags['context']?.short === 'c')
  const isKey = !before.startsWith('-') && path[1] === 'key' && OF_A_KEY.has(path[2] ?? '')
  if (!isContext && !isKey) return []
  try {
    const paths = userPaths(loadSettings(cli, globals))
    const names = isContext
      ? await createCapabilityStore(cli, { directory: paths.capabilities }).list()
      : await createKeyStore(cli, { directory: paths.keys }).list()
    return names.filter(name => oneLine(name) === name)
  } catch {
    return []
  }
}
