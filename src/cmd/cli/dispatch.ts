/**
 * From words to a finished command: find it, read its flags, check what it requires, run it. Nothing heavy is
 * loaded for help and for mistakes: the collaborators are made when a command really runs.
 */

import { type Cli, type Command, type CommandGroup, type CommandNode, isGroup } from './command.ts'
import { UsageError } from './errors.ts'
import { type FlagTable, type FlagValues, nearest, type ParsedFlags, parseFlags } from './flags.ts'
import { helpText } from './help.ts'
import { type Located, locate } from './locate.ts'

/** What a command line turned out to mean. */
export type Plan =
  | { readonly type: 'help'; readonly text: string }
  | { readonly type: 'mistake'; readonly error: UsageError; readonly exitCodes: 'compatible' | 'human' }
  | {
      readonly type: 'run'
      readonly exitCodes: 'compatible' | 'human'
      /** Values of the global flags. */
      readonly globals: ReadonlyMap<string, unknown>
      /** Runs the command; the result is its exit code. */
      readonly run: (cli: Cli) => Promise<number>
    }

/** Reads a command line. Mistakes come in the words of the existing CLI. */
export async function dispatch(root: CommandGroup, argv: readonly string[]): Promise<Plan> {
  const located = await locate(root, argv)
  try {
    if (located.path.length === 1 && located.stray === 'help') return await planHelp(root, argv)
    return isGroup(located.node) ? planGroup(located.node, located) : planCommand(root, located.node, located)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const hint = error.hint ?? `run '${located.path.join(' ')} --help' for usage`
    const exitCodes = isGroup(located.node) ? 'compatible' : located.node.exitCodes
    return { type: 'mistake', error: new UsageError(error.message, { cause: error, hint }), exitCodes }
  }
}

function planCommand(root: CommandGroup, node: Command, { inherited, rest, path }: Located): Plan {
  const table: FlagTable = { ...inherited, ...node.flags }
  const parsed = parseFlags(table, rest)
  if (parsed.values.get('help') === true) return { type: 'help', text: helpText(node, path, inherited) }
  checkCommand(node, table, parsed)
  const globals = new Map(
    [...parsed.values].filter(([name]) => parsed.given.has(name) && name in (root.persistent ?? {}))
  )
  // The parser filled the map by this very table, so names and kinds agree.
  const flags = Object.fromEntries(parsed.values) as FlagValues<FlagTable>
  return {
    type: 'run',
    exitCodes: node.exitCodes,
    globals,
    run: async cli =>
      (await node.handler.run({ cli, flags, given: parsed.given, args: parsed.words, root, globals })) ?? 0
  }
}

async function planHelp(root: CommandGroup, argv: readonly string[]): Promise<Plan> {
  const words = argv.toSpliced(argv.indexOf('help'), 1)
  const located = await locate(root, words)
  if (located.stray !== undefined) throw unknownCommand(located)
  return { type: 'help', text: helpText(located.node, located.path, located.inherited) }
}

function planGroup(group: CommandGroup, located: Located): Plan {
  const parsed = parseFlags(located.inherited, located.rest)
  if (located.stray !== undefined && !group.lenient && parsed.values.get('help') !== true)
    throw unknownCommand(located)
  return { type: 'help', text: helpText(group, located.path, located.inherited) }
}

function unknownCommand(located: Located): UsageError {
  const parent = located.path.join(' ')
  const children: readonly CommandNode[] = isGroup(located.node) ? located.node.children : []
  const near = nearest(
    located.stray ?? '',
    children.map(child => child.name)
  )
  const hint =
    near === undefined ? `run '${parent} --help' for the list` : `did you mean '${parent} ${near}'?`
  return new UsageError(`unknown command "${located.stray}" for "${parent}"`, { hint })
}

function checkCommand(node: Command, table: FlagTable, parsed: ParsedFlags): void {
  checkWords(node.words ?? [], parsed.words.length)
  const missing = Object.entries(table)
    .filter(([name, spec]) => spec.required && !parsed.given.has(name))
    .map(([name]) => `"${name}"`)
  if (missing.length > 0) throw new UsageError(`required flag(s) ${missing.join(', ')} not set`)
  for (const group of node.oneOf ?? []) {
    if (!group.some(name => parsed.given.has(name))) {
      throw new UsageError(`at least one of the flags in the group [${group.join(' ')}] is required`)
    }
  }
  for (const group of node.exclusive ?? []) {
    const set = group.filter(name => parsed.given.has(name))
    if (set.length > 1) {
      throw new UsageError(
        `if any flags in the group [${group.join(' ')}] are set none of the others can be; [${set.join(' ')}] were all set`
      )
    }
  }
}

function checkWords(words: readonly string[], received: number): void {
  const least = words.filter(word => word.startsWith('<')).length
  const most = words.some(word => word.endsWith('…')) ? Number.POSITIVE_INFINITY : words.length
  if (received >= least && received <= most) return
  if (least === most) throw new UsageError(`accepts ${most} arg(s), received ${received}`)
  if (received < least) throw new UsageError(`requires at least ${least} arg(s), only received ${received}`)
  throw new UsageError(`accepts at most ${most} arg(s), received ${received}`)
}
