/** The capability contexts of the user directory, as far as they can be read without asking anybody for anything. */

import type { Config } from '../../config/index.ts'
import { type CapabilityFile, createCapabilityStore, type Token } from '../../lib/ucan/index.ts'
import type { Did } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { oneLine } from '../cli/printable.ts'
import { userPaths } from '../session/paths.ts'

/** Contexts looked at; a directory with more is not one a person keeps. */
const MAX_CONTEXTS = 200

/** A context of this machine. */
export interface KnownContext {
  readonly name: string
  readonly did: Did
  /** `undefined` for a sealed one: only its owner is in the clear. */
  readonly file: CapabilityFile | undefined
}

/**
 * All of them, sorted by name. One that cannot be read is reported on standard error and left out; its name is added to
 * `unreadable`.
 */
export async function readContexts(
  cli: Cli,
  config: Config,
  unreadable: string[] = []
): Promise<KnownContext[]> {
  const store = createCapabilityStore(cli, { directory: userPaths(config).capabilities })
  const names = await store.list()
  if (names.length > MAX_CONTEXTS)
    cli.terminal.err(`warning: only the first ${MAX_CONTEXTS} of ${names.length} contexts are looked at\n`)
  const known: KnownContext[] = []
  for (const name of names.slice(0, MAX_CONTEXTS)) {
    cli.signal.throwIfAborted()
    try {
      const file = (await store.isSealed(name)) ? undefined : await store.load(name)
      const did = file?.did ?? (await store.ownerOf(name))
      if (did !== undefined) known.push({ name, did, file })
    } catch (error) {
      unreadable.push(name)
      cli.terminal.err(`warning: context '${oneLine(name)}' is left out: ${oneLine(errorMessage(error))}\n`)
    }
  }
  return known
}

/** Names by DID; where two contexts have one owner the first name counts. */
export function namesOf(contexts: readonly KnownContext[]): ReadonlyMap<Did, string> {
  const names = new Map<Did, string>()
  for (const { name, did } of contexts) if (!names.has(did)) names.set(did, name)
  return names
}

/** All tokens of a context. */
export function tokensOf({ require, provide, revoke }: CapabilityFile): Token[] {
  return [...revoke, ...require, ...provide]
}
