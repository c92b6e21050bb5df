import type { AbortOptions, Clock, Logger, Resources } from '../types/index.ts'
import { errorMessage } from '../utils/index.ts'
import { readCgroupLimits } from './cgroup.ts'
import { readCpu, twoDecimals } from './cpu.ts'
import { CpuUsageMeter } from './cpu-usage.ts'
import { HardwareError } from './errors.ts'
import { readMemory } from './memory.ts'
import { type DiskSpace, nodeSystem, type SystemReader } from './system.ts'
import type { Hardware } from './types.ts'

/** What the readers need from outside. */
export interface HardwareDeps {
  readonly clock: Clock
  readonly log: Logger
  /** Source of raw facts; default: this machine. */
  readonly reader?: SystemReader
}

/** Settings of the readers. */
export interface HardwareOptions {
  /**
   * Directory the workloads' data lives in. Its file system alone is counted: summing partitions counts shared
   * pools and bind mounts more than once (runtime §6.4 H5).
   */
  readonly diskPath: string
}

/** Reads this machine. Nothing is read before the first call. */
export function createHardware(deps: HardwareDeps, options: HardwareOptions): Hardware {
  return new MachineHardware(deps, options)
}

class MachineHardware implements Hardware {
  readonly #reader: SystemReader
  readonly #meter: CpuUsageMeter
  readonly #diskPath: string

  constructor(deps: HardwareDeps, options: HardwareOptions) {
    this.#reader = deps.reader ?? nodeSystem
    this.#meter = new CpuUsageMeter({ reader: this.#reader, clock: deps.clock })
    this.#diskPath = options.diskPath
    deps.log.debug('hardware is read from this machine', { diskPath: options.diskPath })
  }

  async spec(options: AbortOptions = {}): Promise<Resources> {
    const limits = await readCgroupLimits(this.#reader, options)
    const [cpu, memory, disk] = await Promise.all([
      readCpu(this.#reader, limits, options),
      readMemory(this.#reader, limits, options),
      this.#disk()
    ])
    return { cpu, gpus: [], ram: { size: memory.size }, disk: { size: disk.size } }
  }

  async usage(options: AbortOptions = {}): Promise<Resources> {
    const limits = await readCgroupLimits(this.#reader, options)
    const [cpu, memory, disk, share] = await Promise.all([
      readCpu(this.#reader, limits, options),
      readMemory(this.#reader, limits, options),
      this.#disk(),
      this.#meter.share(options)
    ])
    // The counters are those of the whole machine, whatever part of it we may use.
    const busyCores = twoDecimals(share * (cpu.threads ?? cpu.cores))
    return {
      cpu: { ...cpu, cores: Math.min(cpu.cores, busyCores) },
      gpus: [],
      ram: { size: memory.used },
      disk: { size: disk.size - disk.available }
    }
  }

  async free(options: AbortOptions = {}): Promise<Resources> {
    const [spec, usage] = await Promise.all([this.spec(options), this.usage(options)])
    return difference(spec, usage)
  }

  async #disk(): Promise<DiskSpace> {
    try {
      return await this.#reader.diskSpace(this.#diskPath)
    } catch (cause) {
      throw new HardwareError(
        `cannot read the size of the disk at '${this.#diskPath}': ${errorMessage(cause)}`,
        {
          cause,
          hint: 'check that general.work_dir is a directory this user may read'
        }
      )
    }
  }
}

/** What is left, never below zero. */
export function difference(spec: Resources, usage: Resources): Resources {
  return {
    cpu: { ...spec.cpu, cores: Math.max(0, twoDecimals(spec.cpu.cores - usage.cpu.cores)) },
    gpus: spec.gpus ?? [],
    ram: { ...spec.ram, size: Math.max(0, spec.ram.size - usage.ram.size) },
    disk: { ...spec.disk, size: Math.max(0, spec.disk.size - usage.disk.size) }
  }
}
