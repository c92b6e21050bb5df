/**
 * What this machine has and uses: processor, memory, disk. Sizes in bytes, speeds in hertz.
 *
 * @example
 * ```ts
 * const hardware = createHardware({ clock, log }, { diskPath: config.general.work_dir })
 * const { cpu, ram } = await hardware.free({ signal })
 * ```
 *
 * @packageDocumentation
 */
export { HardwareError } from './errors.ts'
export { createFixedHardware } from './fixed-hardware.ts'
export { createHardware, type HardwareDeps, type HardwareOptions } from './hardware.ts'
export type { CpuTimes, DiskSpace, PlatformFacts, SystemReader } from './system.ts'
export type { Hardware } from './types.ts'
