import { type Command, type CommandGroup, isGroup, openNode } from './command.ts'
import { type FlagTable, takesNextWord } from './flags.ts'

/** Where a command line leads. */
export interface Located {
  readonly node: Command | CommandGroup
  /** Names from the root on, the root included. */
  readonly path: readonly string[]
  /** The command line without the words of the path, order kept. */
  readonly rest: readonly string[]
  /** Flags inherited from the groups on the way. */
  readonly inherited: FlagTable
  /** First word that named no child of the group, when the way ended at a group. */
  readonly stray: string | undefined
}

/**
 * Finds the command in a line whose flags may stand before it: `nunet -c dms actor cmd /x`. While looking, a flag
 * that is not known on this level is skipped together with the word after it; the command that owns it reads it
 * later (cli-api-config §1). So the words of the path may stand anywhere, in order.
 */
export async function locate(root: CommandGroup, args: readonly string[]): Promise<Located> {
  let node: Command | CommandGroup = root
  let rest = args
  let inherited: FlagTable = root.persistent ?? {}
  const path = [root.name]
  for (;;) {
    const index: number = isGroup(node) ? firstWord(rest, inherited) : -1
    const word: string | undefined = rest[index]
    if (!isGroup(node) || word === undefined) return { node, path, rest, inherited, stray: undefined }
    const named = node.children.find(candidate => candidate.name === word)
    if (named === undefined) return { node, path, rest, inherited, stray: word }
    const child: Command | CommandGroup = await openNode(named)
    node = child
    path.push(child.name)
    rest = rest.toSpliced(index, 1)
    if (isGroup(child)) inherited = { ...inherited, ...child.persistent }
  }
}

function firstWord(args: readonly string[], table: FlagTable): number {
  for (let at = 0; at < args.length; at++) {
    const token = args[at] ?? ''
    if (token === '--') return -1
    if (!token.startsWith('-') || token === '-') return token === '' ? -1 : at
    if (takesNextWord(token, table)) at++
  }
  return -1
}
