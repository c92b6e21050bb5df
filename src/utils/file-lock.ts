/**
 * Locks between processes of one host: a file that names its holder, made in one step together with its content.
 * A lock whose holder no longer runs is taken over.
 *
 * NOTE: process ids are compared on this host only; a user directory on a network share is not protected.
 */

import { link, mkdir, readFile, rm, unlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { AbortOptions, Clock, FileLock, RandomSource } from '../types/index.ts'
import { bytesToHex } from './bytes.ts'
import { errorCode } from './error.ts'
import { FileStoreError, fileError } from './file-error.ts'

const LOCK_POLL_MS = 25

/** A lock held longer than this by a living process is reported instead of waited for. */
const LOCK_WAIT_MS = 10_000

/** Waits for the lock file `path`. @throws FileStoreError when a living process keeps it too long */
export async function acquireLock(
  deps: { clock: Clock; random: RandomSource },
  path: string,
  { signal }: AbortOptions = {}
): Promise<FileLock> {
  const { clock } = deps
  const own = `${process.pid} ${bytesToHex(deps.random.bytes(8))}`
  const started = clock.monotonicMs()
  for (;;) {
    signal?.throwIfAborted()
    if (await create(path, own)) return heldLock(path)
    const content = await read(path)
    if (content !== undefined && isStale(content)) {
      if (await breakLock(path, content, own)) continue
    } else if (clock.monotonicMs() - started > LOCK_WAIT_MS) throw lockedError(path, content)
    await clock.sleep(LOCK_POLL_MS, { signal })
  }
}

function lockedError(path: string, content: string | undefined): FileStoreError {
  const holder = holderOf(content ?? '')
  return new FileStoreError(`'${path}' is locked by process ${holder || 'unknown'}`, {
    hint: `wait for that process; if none is running, remove '${path}'`,
    details: { path, holder }
  })
}

/** Makes the file with its content in one step: a link, which fails when the name is taken. */
async function create(path: string, content: string): Promise<boolean> {
  const temporary = `${path}.${content.replace(' ', '.')}`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFile(temporary, `${content}\n`, { flag: 'wx', mode: 0o600 })
    await linkOrWrite(temporary, path, content)
    return true
  } catch (cause) {
    if (errorCode(cause) === 'EEXIST') return false
    throw fileError('lock', path, cause)
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined)
  }
}

/** A file system without links (exFAT, some shares) gets the file in two steps; an empty one has no holder and is waited for. */
async function linkOrWrite(temporary: string, path: string, content: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (cause) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errorCode(cause) ?? '')) throw cause
    await writeFile(path, `${content}\n`, { flag: 'wx', mode: 0o600 })
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined
    throw fileError('read', path, cause)
  }
}

function holderOf(content: string): number {
  return Number(content.split(' ')[0])
}

function isStale(content: string): boolean {
  const holder = holderOf(content)
  return Number.isInteger(holder) && holder > 0 && !isRunning(holder)
}

/**
 * Removes a stale lock. Only the one who holds the lock for breaking *this* content may remove it, and looks
 * again first: otherwise a slow second one would remove the new lock of the first.
 */
async function breakLock(path: string, content: string, own: string): Promise<boolean> {
  const breaker = `${path}.break-${content.replace(/[^0-9a-f]/g, '-').slice(0, 64)}`
  if (!(await create(breaker, own))) {
    const other = await read(breaker)
    if (other !== undefined && isStale(other)) await rm(breaker, { force: true })
    return false
  }
  try {
    if ((await read(path)) === content) await unlink(path)
    return true
  } catch (cause) {
    throw fileError('lock', path, cause)
  } finally {
    await rm(breaker, { force: true }).catch(() => undefined)
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
