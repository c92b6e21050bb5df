/** Where executors leave their output and from where it is read: the disk, or a file store in simulation. */

import { constants } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileStore } from '../../types/index.ts'
import { errorCode } from '../../utils/index.ts'
import type { FileRange, JobFiles } from './types.ts'

const ABSENT: FileRange = { data: new Uint8Array(), totalBytes: 0 }

/** Results directories on the local disk. */
export function createDiskJobFiles(): JobFiles {
  return {
    async makeDirectory(path) {
      await mkdir(path, { recursive: true, mode: 0o700 })
    },
    async removeDirectory(path) {
      await rm(path, { recursive: true, force: true })
    },
    async rename(from, to) {
      await rename(from, to).catch(error => {
        if (errorCode(error) !== 'ENOENT') throw error
      })
    },
    readRange
  }
}

async function readRange(path: string, offset: number, maxBytes: number): Promise<FileRange> {
  try {
    // A link in the place of a log would let a workload show any file of this user to its owner.
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    const { size } = await file.stat()
    const length = Math.max(0, Math.min(maxBytes, size - offset))
    const buffer = new Uint8Array(length)
    const { bytesRead } = length > 0 ? await file.read(buffer, 0, length, offset) : { bytesRead: 0 }
    return { data: buffer.subarray(0, bytesRead), totalBytes: size }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return ABSENT
    throw error
  }
}

/** Over a file store: whole files in memory, for simulation. */
export function createStoredJobFiles(files: FileStore): JobFiles {
  return {
    async makeDirectory() {},
    async removeDirectory(path) {
      for (const name of await files.list(path)) await files.remove(join(path, name))
    },
    async rename(from, to) {
      const content = await files.read(from)
      if (content === undefined) return
      await files.writeAtomic(to, content)
      await files.remove(from)
    },
    async readRange(path, offset, maxBytes) {
      const content = await files.read(path)
      if (content === undefined) return ABSENT
      return { data: content.subarray(offset, offset + maxBytes), totalBytes: content.length }
    }
  }
}
