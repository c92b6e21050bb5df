/**
 * Small files of the user directory that give names a value, as JSON objects: aliases of Ledger accounts, PRISM DIDs of
 * keys. Read with bounds; changed under a lock and in one step, the previous content kept as `<file>.<unix seconds>`.
 */

import { basename, dirname } from 'node:path'
import type { AbortOptions, Clock, FileStore } from '../types/index.ts'
import { bytesToUtf8, utf8ToBytes } from './bytes.ts'
import { errorMessage } from './error.ts'
import { FileStoreError } from './file-error.ts'
import { childPath } from './system-files.ts'

const FILE_MODE = 0o600

/** Bytes of such a file, about 10,000 names. */
const MAX_FILE_LENGTH = 1_048_576

/** Previous versions kept of each file. */
const MAX_BACKUPS = 5

/** Reads one value of the file; `undefined` for one that is not understood and is passed over. */
export type ReadValue<T> = (name: string, value: unknown) => T | undefined

/** The names of a file with their values; none when there is no file. @throws FileStoreError when it is no such file */
export async function readNameMap<T>(
  files: Pick<FileStore, 'read'>,
  path: string,
  read: ReadValue<T>
): Promise<Map<string, T>> {
  const content = await files.read(path)
  const map = new Map<string, T>()
  if (content === undefined) return map
  for (const [name, raw] of Object.entries(parse(path, content))) {
    const value = read(name, raw)
    if (value !== undefined) map.set(name, value)
  }
  return map
}

function parse(path: string, content: Uint8Array): object {
  try {
    if (content.length > MAX_FILE_LENGTH) throw new Error(`it is longer than ${MAX_FILE_LENGTH} bytes`)
    const value: unknown = JSON.parse(bytesToUtf8(content))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
    throw new Error('it is not a JSON object')
  } catch (cause) {
    throw new FileStoreError(`'${path}' is damaged: ${errorMessage(cause)}`, {
      cause,
      hint: `restore it from '${path}.<time>', or remove it`
    })
  }
}

/** Changes the file under its lock. When `change` throws or changes nothing, the file stays as it was. */
export async function updateNameMap<T>(
  deps: { files: FileStore; clock: Pick<Clock, 'nowMs'> },
  path: string,
  read: ReadValue<T>,
  change: (map: Map<string, T>) => void,
  options: AbortOptions = {}
): Promise<void> {
  const { files, clock } = deps
  await using _lock = await files.lock(path, options)
  const previous = await files.read(path)
  const map = await readNameMap(files, path, read)
  change(map)
  const sorted = [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  const text = `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`
  if (previous !== undefined && bytesToUtf8(previous) === text) return
  if (previous !== undefined)
    await files.writeAtomic(`${path}.${Math.floor(clock.nowMs() / 1000)}`, previous, { mode: FILE_MODE })
  await files.writeAtomic(path, utf8ToBytes(text), { mode: FILE_MODE })
  await pruneBackups(files, path)
}

async function pruneBackups(files: FileStore, path: string): Promise<void> {
  const prefix = `${basename(path)}.`
  const times = (await files.list(dirname(path)))
    .filter(file => file.startsWith(prefix) && /^\d{1,15}$/.test(file.slice(prefix.length)))
    .map(file => Number(file.slice(prefix.length)))
    .sort((a, b) => b - a)
  for (const time of times.slice(MAX_BACKUPS)) await files.remove(childPath(dirname(path), prefix + time))
}
