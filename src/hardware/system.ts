/** The machine as the readers of this folder see it; tests pass recorded texts instead. */

import { open, statfs } from 'node:fs/promises'
import os from 'node:os'
import { dirname } from 'node:path'
import type { AbortOptions } from '../types/index.ts'
import { errorCode } from '../utils/index.ts'
import { MAX_TEXT_BYTES } from './constants.ts'

/** Size of one file system, in bytes. */
export interface DiskSpace {
  readonly size: number
  /** Free for a user without privileges. */
  readonly available: number
}

/** What `node:os` knows on every platform: the fallback where there is no /proc. */
export interface PlatformFacts {
  readonly logicalCpus: number
  readonly cpuModel: string
  readonly cpuMhz: number
  /** As `process.arch` spells it. */
  readonly architecture: string
  readonly memoryBytes: number
  readonly freeMemoryBytes: number
  /** Summed over all CPUs, in milliseconds. */
  readonly cpuTimes: CpuTimes
}

/** Counters that only grow; two readings make a measurement. Any unit, the same for both. */
export interface CpuTimes {
  readonly busy: number
  readonly total: number
}

/** Reader of raw facts. */
export interface SystemReader {
  /** A text of /proc or /sys, or `undefined` where it does not exist or may not be read. */
  readText(path: string, options?: AbortOptions): Promise<string | undefined>
  diskSpace(path: string): Promise<DiskSpace>
  platform(): PlatformFacts
}

/** The machine this process runs on. */
export const nodeSystem: SystemReader = { readText, diskSpace, platform }

/** Files of /proc have no size, so this reads until the end or the bound. */
async function readText(path: string, { signal }: AbortOptions = {}): Promise<string | undefined> {
  signal?.throwIfAborted()
  try {
    await using file = await open(path)
    const chunks: Uint8Array[] = []
    for (let total = 0; total < MAX_TEXT_BYTES; ) {
      const { bytesRead, buffer } = await file.read({ buffer: new Uint8Array(65_536) })
      if (bytesRead === 0) break
      chunks.push(buffer.subarray(0, bytesRead))
      total += bytesRead
    }
    return Buffer.concat(chunks).toString('utf8')
  } catch {
    return undefined // not Linux, or hidden by a sandbox: every caller has a fallback
  }
}

/** The file system that holds `path`, or that would hold it once it is made. */
async function diskSpace(path: string): Promise<DiskSpace> {
  for (let at = path; ; at = dirname(at)) {
    try {
      const { bsize, blocks, bavail } = await statfs(at)
      return { size: bsize * blocks, available: bsize * bavail }
    } catch (error) {
      if (errorCode(error) !== 'ENOENT' || at === dirname(at)) throw error
    }
  }
}

function platform(): PlatformFacts {
  const cpus = os.cpus()
  let busy = 0
  let total = 0
  for (const { times } of cpus) {
    const active = times.user + times.nice + times.sys + times.irq
    busy += active
    total += active + times.idle
  }
  return {
    logicalCpus: Math.max(cpus.length, os.availableParallelism()),
    cpuModel: cpus[0]?.model.trim() ?? '',
    cpuMhz: cpus[0]?.speed ?? 0,
    architecture: os.arch(),
    memoryBytes: os.totalmem(),
    freeMemoryBytes: os.freemem(),
    cpuTimes: { busy, total }
  }
}
