/** What a command is: a declaration that help, completion and the reference page are made from, and a handler. */

import type { Environment } from '../../config/index.ts'
import type { Clock, FileStore, RandomSource } from '../../types/index.ts'
import type { FlagTable, FlagValues } from './flags.ts'
import type { Terminal } from './terminal.ts'

/** Collaborators of every command, made once in `main`. */
export interface Cli {
  readonly terminal: Terminal
  readonly clock: Clock
  readonly random: RandomSource
  readonly files: FileStore
  readonly environment: Environment
  /** Working directory: relative paths of flags and files start there. */
  readonly directory: string
  /** Fires at Ctrl-C, SIGTERM and when nobody reads standard output any more. */
  readonly signal: AbortSignal
}

/** One run of a command. */
export interface Invocation<T extends FlagTable> {
  readonly cli: Cli
  readonly flags: FlagValues<T>
  /** Long names of the flags that were typed, the global ones included. */
  readonly given: ReadonlySet<string>
  readonly args: readonly string[]
  /** The tree the command was found in. */
  readonly root: CommandGroup
  /** Values of the global flags that were typed, by long name. */
  readonly globals: ReadonlyMap<string, unknown>
}

export interface Handler<T extends FlagTable> {
  /** Does the work; the number is the exit code, 0 when absent. Errors are printed by the caller. */
  run(invocation: Invocation<T>): Promise<number | undefined>
}

/** What all commands declare. */
export interface CommandInfo {
  readonly name: string
  /** One line, lower case, no full stop. */
  readonly summary: string
  /** Paragraphs of the command's own help. */
  readonly description?: string
  readonly hidden?: true
}

/** A command that does something. */
export interface Command<T extends FlagTable = FlagTable> extends CommandInfo {
  /** Positional words as help shows them, for example `<name>` or `[key]`; `…` at the end takes any number. */
  readonly words?: readonly string[]
  readonly flags: T
  /** Of each group at most one may be given. */
  readonly exclusive?: readonly (readonly string[])[]
  /** Of each group at least one must be given. */
  readonly oneOf?: readonly (readonly string[])[]
  readonly examples: readonly string[]
  /** `compatible`: exit codes 0 and 1; `human`: the codes of `EXIT`, shown in help. */
  readonly exitCodes: 'compatible' | 'human'
  readonly handler: Handler<T>
}

/** A group of commands. */
export interface CommandGroup extends CommandInfo {
  /** Flags every child has. */
  readonly persistent?: FlagTable
  readonly examples?: readonly string[]
  /** An unknown child prints this group's help and succeeds, as the existing `actor cmd` does. */
  readonly lenient?: true
  readonly children: readonly CommandNode[]
}

/** A command or group that is only named; the rest loads when it is looked at. The root holds nothing else, so its help is fast. */
export interface LazyNode extends CommandInfo {
  readonly open: () => Promise<Command | CommandGroup>
}

/** Anything in the tree of commands. */
export type CommandNode = Command | CommandGroup | LazyNode

export function isGroup(node: CommandNode): node is CommandGroup {
  return 'children' in node
}

/** The node itself, loaded when it was only named. */
export async function openNode(node: CommandNode): Promise<Command | CommandGroup> {
  return 'open' in node ? await node.open() : node
}

/** Ties a command's flags to its handler's type. */
export function command<const T extends FlagTable>(declaration: Command<T>): Command<T> {
  return declaration
}
