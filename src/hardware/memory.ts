import type { AbortOptions } from '../types/index.ts'
import type { CgroupLimits } from './cgroup.ts'
import type { SystemReader } from './system.ts'

/** Bytes of memory. */
export interface Memory {
  readonly size: number
  readonly used: number
}

/**
 * `MemTotal` and `MemAvailable` of /proc/meminfo (proc_meminfo(5)), in bytes. Available counts what the kernel
 * can give back at once, so a full file cache does not look like a full machine.
 */
export function parseMemoryInfo(text: string): { total: number; available: number } | undefined {
  const total = kibibytes(text, 'MemTotal')
  const available = kibibytes(text, 'MemAvailable') ?? kibibytes(text, 'MemFree')
  return total === undefined || available === undefined ? undefined : { total, available }
}

function kibibytes(text: string, name: string): number | undefined {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)
  return match ? Number(match[1]) * 1024 : undefined
}

/** Memory this process may use, and how much of it is in use by anything. */
export async function readMemory(
  reader: SystemReader,
  limits: CgroupLimits,
  options: AbortOptions = {}
): Promise<Memory> {
  const text = await reader.readText('/proc/meminfo', options)
  const platform = reader.platform()
  const { total, available } = (text === undefined ? undefined : parseMemoryInfo(text)) ?? {
    total: platform.memoryBytes,
    available: platform.freeMemoryBytes
  }
  const limit = Math.min(total, limits.memoryBytes ?? total)
  const room = Math.min(available, limit - (limits.memoryUsedBytes ?? 0))
  return { size: limit, used: Math.min(limit, Math.max(0, limit - room)) }
}
