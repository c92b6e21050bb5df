/** The local disk behind the `FileStore` contract: atomic writes and locks between processes. */

import { constants } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { AbortOptions, Clock, FileLock, FileStore, RandomSource } from '../types/index.ts'
import { errorCode, NuError } from './error.ts'

/** A file could not be read or written; the message names the path and the reason. */
export class FileStoreError extends NuError {
  override readonly name = 'FileStoreError'
  readonly code = 'FILE_ACCESS'
}

const LOCK_POLL_MS = 25
/** A lock held longer than this by a living process is reported instead of waited for. */
const LOCK_WAIT_MS = 10_000

const REASONS: Readonly<Record<string, { reason: string; hint: string }>> = {
  ENOSPC: { reason: 'the disk is full', hint: 'free some space and run the command again; nothing was changed' },
  EDQUOT: { reason: 'the disk quota is used up', hint: 'free some space and run the command again; nothing was changed' },
  EACCES: { reason: 'permission denied', hint: 'check the owner of the file and of its directory' },
  EPERM: { reason: 'operation not permitted', hint: 'check the owner of the file and of its directory' },
  EROFS: { reason: 'the file system is read-only', hint: 'choose another directory with --user-dir' },
  EISDIR: { reason: 'it is a directory', hint: 'choose another path' },
  ENOTDIR: { reason: 'a part of the path is not a directory', hint: 'choose another path' },
  ENAMETOOLONG: { reason: 'the name is too long', hint: 'choose a shorter name' }
}

/** Turns a system error into one line that says what to do. */
export function fileError(action: string, path: string, cause: unknown): FileStoreError {
  const code = errorCode(cause) ?? 'unknown error'
  const known = REASONS[code]
  return new FileStoreError(`cannot ${action} '${path}': ${known?.reason ?? code}`, {
    cause,
    details: { path, code },
    ...(known ? { hint: known.hint } : {})
  })
}

export function createSystemFiles(deps: { clock: Clock; random: RandomSource }): FileStore {
  return {
    async read(path) {
      try {
        return new Uint8Array(await readFile(path))
      } catch (cause) {
        if (errorCode(cause) === 'ENOENT') return undefined
        throw fileError('read', path, cause)
      }
    },
    async writeAtomic(path, content, { mode = 0o600 } = {}) {
      const temporary = `${path}.${process.pid}.${Buffer.from(deps.random.bytes(4)).toString('hex')}.tmp`
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 })
        await writeDurably(temporary, content, mode)
        await rename(temporary, path)
        await syncDirectory(dirname(path))
      } catch (cause) {
        await rm(temporary, { force: true }).catch(() => undefined)
        throw fileError('write', path, cause)
      }
    },
    async list(directory) {
      try {
        return (await readdir(directory)).sort()
      } catch (cause) {
        if (errorCode(cause) === 'ENOENT') return []
        throw fileError('list', directory, cause)
      }
    },
    async remove(path) {
      try {
        await rm(path, { force: true })
      } catch (cause) {
        throw fileError('remove', path, cause)
      }
    },
    lock: (path, options) => acquireLock(deps.clock, `${path}.lock`, options)
  }
}

async function writeDurably(path: string, content: Uint8Array, mode: number): Promise<void> {
  await using file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode)
  await file.writeFile(content)
  await file.chmod(mode) // the umask may have narrowed it; 0600 must mean 0600
  await file.sync()
}

/** Makes the rename itself durable; some file systems cannot sync a directory, which is no reason to fail. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY).catch(() => undefined)
  await directory?.sync().catch(() => undefined)
  await directory?.close()
}

/**
 * A lock file that names its holder. Made with O_EXCL; when its holder no longer runs it is taken over.
 * NOTE: process ids are compared on this host only; a user directory on a network share is not protected.
 */
async function acquireLock(clock: Clock, path: string, { signal }: AbortOptions = {}): Promise<FileLock> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const started = clock.monotonicMs()
  for (;;) {
    signal?.throwIfAborted()
    if (await tryCreateLock(path)) return heldLock(path)
    const holder = Number((await readFile(path, 'utf8').catch(() => '')).trim())
    if (Number.isInteger(holder) && holder > 0 && !isRunning(holder)) {
      await unlink(path).catch(() => undefined)
      continue
    }
    if (clock.monotonicMs() - started > LOCK_WAIT_MS) {
      throw new FileStoreError(`'${path}' is locked by process ${holder || 'unknown'}`, {
        hint: `wait for that process; if none is running, remove '${path}'`,
        details: { path, holder }
      })
    }
    await clock.sleep(LOCK_POLL_MS, { signal })
  }
}

async function tryCreateLock(path: string): Promise<boolean> {
  try {
    await using file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
    await file.writeFile(`${process.pid}\n`)
    return true
  } catch (cause) {
    if (errorCode(cause) === 'EEXIST') return false
    throw fileError('lock', path, cause)
  }
}

function heldLock(path: string): FileLock {
  let held = true
  const release = async (): Promise<void> => {
    if (!held) return
    held = false
    await unlink(path).catch(() => undefined)
  }
  return { release, [Symbol.asyncDispose]: release }
}

/** Whether a process of this id runs; a process of another user counts as running. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

/** Path of a file inside `directory` for a name that came from outside; refuses anything that is not one plain name. */
export function childPath(directory: string, name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)) {
    throw new FileStoreError(`'${name}' is not a valid name`, { hint: 'use letters, digits, dots and dashes' })
  }
  return join(directory, name)
}
