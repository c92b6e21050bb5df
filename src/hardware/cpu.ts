import type { AbortOptions, CpuResources } from '../types/index.ts'
import type { CgroupLimits } from './cgroup.ts'
import { parseAllowedCpus } from './cpu-affinity.ts'
import { architectureName, parseCpuInfo, parseMaxFrequency } from './cpu-info.ts'
import type { SystemReader } from './system.ts'

/**
 * The processor. Cores are the logical CPUs this process may run on, cut by its cgroup's quota. The speed is
 * the highest the machine can do: the current one changes from moment to moment, and an offer must not.
 */
export async function readCpu(
  reader: SystemReader,
  limits: CgroupLimits,
  options: AbortOptions = {}
): Promise<CpuResources> {
  const [infoText, status, frequency] = await Promise.all([
    reader.readText('/proc/cpuinfo', options),
    reader.readText('/proc/self/status', options),
    reader.readText('/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq', options)
  ])
  const platform = reader.platform()
  const info = parseCpuInfo(infoText ?? '')
  const threads = info.processors || platform.logicalCpus
  const allowed = (status === undefined ? undefined : parseAllowedCpus(status)) ?? threads
  const hertz =
    (frequency === undefined ? undefined : parseMaxFrequency(frequency)) ??
    info.hertz ??
    platform.cpuMhz * 1e6
  return {
    cores: twoDecimals(Math.min(allowed, threads, limits.cpus ?? threads)),
    clock_speed: hertz,
    model: info.model ?? platform.cpuModel,
    vendor: info.vendor ?? '',
    threads,
    architecture: architectureName(platform.architecture),
    ...(info.cacheBytes === undefined ? {} : { cache_size: info.cacheBytes })
  }
}

/** Fractions of a core are counted in hundredths (runtime §4.1). */
export function twoDecimals(value: number): number {
  return Math.round(value * 100) / 100
}
