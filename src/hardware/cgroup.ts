/**
 * Limits the kernel puts on the group of processes the daemon belongs to: a daemon in a container or under a
 * service manager must not offer what it cannot use. Both versions of cgroups are read; a limit may sit at any
 * level above the process, so every level is asked and the tightest wins.
 */

import { posix } from 'node:path'
import type { AbortOptions } from '../types/index.ts'
import type { SystemReader } from './system.ts'

const MOUNT = '/sys/fs/cgroup'

/** Version 1 writes a number near 2^63 for "no limit"; nothing real is above this. */
const UNLIMITED_BYTES = 2 ** 60

/** Limits in effect; a member that is absent is not limited. */
export interface CgroupLimits {
  /** CPUs' worth of time, may be a fraction. */
  readonly cpus?: number
  readonly memoryBytes?: number
  /** Memory the group uses that cannot simply be dropped; only there with `memoryBytes`. */
  readonly memoryUsedBytes?: number
}

/** Where the process sits, from /proc/self/cgroup (cgroups(7)). */
export interface CgroupPaths {
  /** Path in the unified hierarchy. */
  readonly unified?: string
  /** Path by controller, version 1. */
  readonly controllers: ReadonlyMap<string, string>
}

export function parseCgroupPaths(text: string): CgroupPaths {
  const controllers = new Map<string, string>()
  let unified: string | undefined
  for (const line of text.split('\n')) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line)
    if (match === null) continue
    const [, id, names = '', path = '/'] = match
    if (id === '0' && names === '') unified = path
    else for (const name of names.split(',')) controllers.set(name, path)
  }
  return { controllers, ...(unified === undefined ? {} : { unified }) }
}

/** CPUs of `cpu.max`: `<quota> <period>` in microseconds, or `max`. */
export function parseCpuMax(text: string): number | undefined {
  const [quota = '', period = ''] = text.trim().split(/\s+/)
  return quotient(quota, period)
}

/** CPUs of version 1's two files; a quota of -1 means none. */
export function quotient(quota: string, period: string): number | undefined {
  const cpus = Number(quota) / Number(period)
  return quota.trim() !== '' && Number.isFinite(cpus) && cpus > 0 ? cpus : undefined
}

/** Bytes of `memory.max` or `memory.limit_in_bytes`. */
export function parseMemoryLimit(text: string): number | undefined {
  const bytes = Number(text.trim())
  return text.trim() !== '' && Number.isFinite(bytes) && bytes > 0 && bytes < UNLIMITED_BYTES
    ? bytes
    : undefined
}

/** File cache the kernel drops when memory gets short: `inactive_file` of `memory.stat`, summed over the group. */
export function parseInactiveFile(text: string): number {
  return Number(/^(?:total_)?inactive_file (\d+)$/m.exec(text)?.[1] ?? 0)
}

/** The limits in effect for this process. */
export async function readCgroupLimits(
  reader: SystemReader,
  options: AbortOptions = {}
): Promise<CgroupLimits> {
  const text = await reader.readText('/proc/self/cgroup', options)
  if (text === undefined) return {}
  const { unified, controllers } = parseCgroupPaths(text)
  const read = (path: string): Promise<string | undefined> => reader.readText(path, options)
  const cpuLevels = controllers.has('cpu') ? levels('cpu', controllers.get('cpu')) : levels('', unified)
  const memoryLevels = controllers.has('memory')
    ? levels('memory', controllers.get('memory'))
    : levels('', unified)
  const cpus = tightest(await Promise.all(cpuLevels.map(level => cpuLimit(read, level))), limit => limit)
  const memory = tightest(
    await Promise.all(memoryLevels.map(level => memoryLimit(read, level))),
    ({ memoryBytes, memoryUsedBytes }) => memoryBytes - memoryUsedBytes
  )
  return { ...(cpus === undefined ? {} : { cpus }), ...memory }
}

/** The directory of the group and of each of its parents. Inside a container only the root may be visible. */
function levels(controller: string, path: string | undefined): string[] {
  if (path === undefined) return []
  const root = posix.join(MOUNT, controller)
  const found = [root]
  let at = ''
  for (const part of path.split('/').slice(0, 64)) {
    if (part === '' || part === '.' || part === '..') continue
    at = `${at}/${part}`
    found.push(root + at)
  }
  return found
}

type Read = (path: string) => Promise<string | undefined>

async function cpuLimit(read: Read, level: string): Promise<number | undefined> {
  const unified = await read(`${level}/cpu.max`)
  if (unified !== undefined) return parseCpuMax(unified)
  const quota = await read(`${level}/cpu.cfs_quota_us`)
  return quota === undefined ? undefined : quotient(quota, (await read(`${level}/cpu.cfs_period_us`)) ?? '')
}

async function memoryLimit(
  read: Read,
  level: string
): Promise<Required<Omit<CgroupLimits, 'cpus'>> | undefined> {
  const text = (await read(`${level}/memory.max`)) ?? (await read(`${level}/memory.limit_in_bytes`))
  const memoryBytes = text === undefined ? undefined : parseMemoryLimit(text)
  if (memoryBytes === undefined) return undefined
  const used =
    (await read(`${level}/memory.current`)) ?? (await read(`${level}/memory.usage_in_bytes`)) ?? '0'
  const droppable = parseInactiveFile((await read(`${level}/memory.stat`)) ?? '')
  return { memoryBytes, memoryUsedBytes: Math.max(0, Number(used) - droppable) }
}

function tightest<T>(limits: readonly (T | undefined)[], room: (limit: T) => number): T | undefined {
  const present = limits.filter(limit => limit !== undefined)
  return present.reduce<T | undefined>(
    (best, next) => (best !== undefined && room(best) <= room(next) ? best : next),
    undefined
  )
}
