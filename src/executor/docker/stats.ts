/** Reads one sample of the engine's statistics (Docker Engine API, ContainerStats). */

import { z } from 'zod'
import type { ExecutionStats } from '../types.ts'

const statsAnswer = z.object({
  read: z.string(),
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number() }) }),
  memory_stats: z.object({
    usage: z.number().optional(),
    limit: z.number().optional(),
    stats: z.record(z.string(), z.number()).optional()
  }),
  networks: z.record(z.string(), z.object({ rx_bytes: z.number(), tx_bytes: z.number() })).optional()
})

/** CPU time used up to a point in time: two of them make a percentage. */
export interface CpuSample {
  readonly atMs: number
  readonly usedNs: number
}

export interface StatsReading {
  readonly stats: ExecutionStats
  readonly sample: CpuSample
}

/** `previous` is the sample of the last call, or the container's start with no time used. Undefined when it does not run. */
export function readStats(answer: unknown, previous: CpuSample): StatsReading | undefined {
  const { read, cpu_stats: cpu, memory_stats: memory, networks = {} } = statsAnswer.parse(answer)
  const atMs = Date.parse(read)
  if (memory.usage === undefined || !(atMs > 0)) return undefined // the engine tells a stopped container as all zeros
  const sample = { atMs, usedNs: cpu.cpu_usage.total_usage }
  const elapsedNs = (sample.atMs - previous.atMs) * 1e6
  const interfaces = Object.values(networks)
  // The page cache that can be dropped at any time is not what the workload uses: `docker stats` takes it off too.
  const cache = memory.stats?.['inactive_file'] ?? memory.stats?.['total_inactive_file'] ?? 0
  return {
    sample,
    stats: {
      cpuPercent: elapsedNs > 0 ? Math.max(0, ((sample.usedNs - previous.usedNs) / elapsedNs) * 100) : 0,
      memoryUsedBytes: Math.max(0, memory.usage - cache),
      memoryLimitBytes: memory.limit ?? 0,
      networkRxBytes: interfaces.reduce((sum, { rx_bytes: bytes }) => sum + bytes, 0),
      networkTxBytes: interfaces.reduce((sum, { tx_bytes: bytes }) => sum + bytes, 0)
    }
  }
}
