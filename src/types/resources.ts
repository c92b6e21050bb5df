/** GPU maker as written on the wire (runtime §4.1). */
export type GpuVendor = 'NVIDIA' | 'AMD/ATI' | 'Intel' | 'Unknown' | 'None'

/** Member names below are the wire names (cli-api-config §7.1). Sizes are bytes, clock speeds Hz, cores may be fractions. */
export interface CpuResources {
  cores: number
  clock_speed?: number | undefined
  model?: string | undefined
  vendor?: string | undefined
  threads?: number | undefined
  architecture?: string | undefined
  cache_size?: number | undefined
}

/** One graphics card; `vram` is its total. */
export interface GpuResources {
  index: number
  vendor: GpuVendor
  pci_address: string
  model: string
  /** Bytes. */
  vram: number
  uuid: string
}

/** Main memory. */
export interface RamResources {
  size: number
  clock_speed?: number | undefined
  type?: string | undefined
}

/** Room on one file system. */
export interface DiskResources {
  size: number
  model?: string | undefined
  vendor?: string | undefined
  type?: string | undefined
  interface?: string | undefined
  read_speed?: number | undefined
  write_speed?: number | undefined
}

/** An amount of hardware: what a machine has, offers, or what a workload asks. */
export interface Resources {
  cpu: CpuResources
  gpus?: GpuResources[] | undefined
  ram: RamResources
  disk: DiskResources
}
