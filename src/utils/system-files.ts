/** The local disk behind the `FileStore` contract: atomic writes and locks between processes. */

import { constants } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock, FileStore, RandomSource } from '../types/index.ts'
import { errorCode } from './error.ts'
import { FileStoreError, fileError } from './file-error.ts'
import { acquireLock } from './file-lock.ts'

/** The files of this machine. Errors are `FileStoreError` with the path and the reason. */
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
    lock: (path, options) => acquireLock(deps, `${path}.lock`, options)
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

/** Path of a file inside `directory` for a name that came from outside; refuses anything that is not one plain name. */
export function childPath(directory: string, name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)) {
    throw new FileStoreError(`'${name}' is not a valid name`, {
      hint: 'use letters, digits, dots and dashes'
    })
  }
  return join(directory, name)
}
