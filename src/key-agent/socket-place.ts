/**
 * Where the socket of the agent lies: one per user directory, in a directory nobody else can enter or write. Both
 * sides check that: the agent before it listens, the client before it says anything.
 */

import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, type Stats } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { errorMessage } from '../utils/index.ts'
import { MAX_SOCKET_PATH } from './constants.ts'
import { KeyAgentError } from './errors.ts'

/** What the places are made from. */
export interface PlaceOptions {
  /** `general.user_dir`: whose keys the agent opens. */
  readonly userDirectory: string
  /** `XDG_RUNTIME_DIR`: gone after the last logout. */
  readonly runtimeDirectory: string | undefined
}

/** Permission bits of others than the owner. */
const OTHERS = 0o077
const DIRECTORY_MODE = 0o700

/** Where a socket may be, the preferred place first. */
export function socketPlaces({ userDirectory, runtimeDirectory }: PlaceOptions): string[] {
  const fallback = join(resolve(userDirectory), 'run', 'key-agent.sock')
  if (runtimeDirectory === undefined) return [fallback]
  const digest = createHash('sha256').update(resolve(userDirectory)).digest('hex').slice(0, 16)
  return [join(runtimeDirectory, 'nunet', `key-agent-${digest}.sock`), fallback]
}

/** Makes the directory for a new socket and chooses the path. @throws KeyAgentError */
export function prepareSocketPlace(options: PlaceOptions): string {
  const { runtimeDirectory } = options
  const places = socketPlaces(options)
  const [preferred = '', fallback = preferred] = places
  const usable = runtimeDirectory !== undefined && directoryProblem(runtimeDirectory) === undefined
  const path = usable && fits(preferred) ? preferred : fallback
  if (!fits(path)) {
    throw new KeyAgentError(
      'KEY_AGENT_SOCKET',
      `the path of the socket '${path}' has ${Buffer.byteLength(path)} bytes; the system takes at most ${MAX_SOCKET_PATH}`,
      { hint: 'set XDG_RUNTIME_DIR to a private directory, or use a --user-dir with a shorter path' }
    )
  }
  const directory = dirname(path)
  try {
    mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE })
  } catch (cause) {
    throw new KeyAgentError('KEY_AGENT_SOCKET', `cannot make '${directory}': ${errorMessage(cause)}`, {
      cause
    })
  }
  const problem = directoryProblem(directory)
  if (problem === undefined) return path
  throw new KeyAgentError('KEY_AGENT_UNSAFE', problem, {
    hint: `if the directory is yours, 'chmod 700 ${directory}'; the key agent does not run where others could take its place`
  })
}

/** Where a socket is and can be trusted, where one is that cannot, or neither. */
export type FoundSocket = { readonly path: string } | { readonly problem: string } | undefined

/** Looks for the socket of a running agent. Says nothing to it. */
export function findSocket(options: PlaceOptions): FoundSocket {
  let found: FoundSocket
  for (const path of socketPlaces(options)) {
    const stats = lstatOf(path)
    if (stats === undefined || !fits(path)) continue
    const problem = directoryProblem(dirname(path)) ?? socketProblem(path, stats)
    if (problem === undefined) return { path }
    found ??= { problem }
  }
  return found
}

/** What tells one socket file from another at the same path; `undefined` when there is none. */
export function socketIdentity(path: string): string | undefined {
  const stats = lstatOf(path)
  return stats?.isSocket() ? `${stats.dev}:${stats.ino}` : undefined
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= MAX_SOCKET_PATH
}

/** Why others might put a socket into this directory. */
function directoryProblem(directory: string): string | undefined {
  const stats = lstatOf(directory)
  if (stats === undefined) return `there is no directory '${directory}'`
  if (!stats.isDirectory()) return `'${directory}' is not a directory of its own`
  if (stats.uid !== process.getuid?.()) return `the directory '${directory}' belongs to somebody else`
  if ((stats.mode & OTHERS) !== 0)
    return `the directory '${directory}' is open to others (mode ${octal(stats)})`
  return undefined
}

function socketProblem(path: string, stats: Stats): string | undefined {
  if (!stats.isSocket()) return `'${path}' is not a socket`
  if (stats.uid !== process.getuid?.()) return `the socket '${path}' belongs to somebody else`
  if ((stats.mode & OTHERS) !== 0) return `the socket '${path}' is open to others (mode ${octal(stats)})`
  return undefined
}

function octal(stats: Stats): string {
  return (stats.mode & 0o777).toString(8).padStart(4, '0')
}

/** Of the link itself, never of what it points to. What cannot be looked at counts as not there. */
function lstatOf(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch {
    return undefined
  }
}
