/**
 * Arithmetic on amounts of hardware (deployment §4). Inside, cores are whole hundredths of a core and sizes
 * whole bytes, so sums never drift. GPUs are told apart by identity and, unlike in the existing system, are
 * never lost in a sum. Only `cores`, `size` and `vram` take part; names and speeds stay as on the left.
 */

import type { GpuResources, Resources, Result } from '../../types/index.ts'
import { formatBytes, ok, refusal, refuse } from '../../utils/index.ts'
import type { Comparison } from './types.ts'

/** Hundredths of a core, rounded up: what is asked is never counted as less than it is. */
export function centiCores(cores: number): number {
  // The subtraction undoes binary noise: 1.1 × 100 is 110.00000000000001.
  return Math.max(0, Math.ceil(cores * 100 - 1e-6))
}

/** Nothing of anything. */
export const NO_RESOURCES: Resources = { cpu: { cores: 0 }, ram: { size: 0 }, disk: { size: 0 } }

/** What makes a GPU the same device: its UUID, else its PCI address, else its index. */
export function gpuIdentity(gpu: GpuResources): string {
  if (gpu.uuid !== '') return `uuid:${gpu.uuid}`
  if (gpu.pci_address !== '') return `pci:${gpu.pci_address}`
  return `index:${gpu.index}`
}

function withGpus(base: Omit<Resources, 'gpus'>, gpus: GpuResources[]): Resources {
  return gpus.length > 0 ? { ...base, gpus } : base
}

/** The sum. VRAM of the same device is added up; other devices of either side are kept. */
export function addResources(left: Resources, right: Resources): Resources {
  const gpus = new Map<string, GpuResources>()
  for (const gpu of [...(left.gpus ?? []), ...(right.gpus ?? [])]) {
    const known = gpus.get(gpuIdentity(gpu))
    gpus.set(gpuIdentity(gpu), known ? { ...known, vram: known.vram + gpu.vram } : { ...gpu })
  }
  return withGpus(
    {
      cpu: { ...left.cpu, cores: (centiCores(left.cpu.cores) + centiCores(right.cpu.cores)) / 100 },
      ram: { ...left.ram, size: left.ram.size + right.ram.size },
      disk: { ...left.disk, size: left.disk.size + right.disk.size }
    },
    [...gpus.values()]
  )
}

/** The sum of all. */
export function sumResources(parts: Iterable<Resources>): Resources {
  let sum = NO_RESOURCES
  for (const part of parts) sum = addResources(sum, part)
  return sum
}

/** What is left, or a refusal that names each amount that would fall below zero. Never negative. */
export function subtractResources(left: Resources, right: Resources): Result<Resources> {
  const lacking = lackingAmounts(left, right)
  const devices = new Map((left.gpus ?? []).map(gpu => [gpuIdentity(gpu), { ...gpu }]))
  for (const gpu of right.gpus ?? []) {
    const device = devices.get(gpuIdentity(gpu))
    if (device && device.vram >= gpu.vram) device.vram -= gpu.vram
    else lacking.push(lackingGpu(gpu, device?.vram ?? 0))
  }
  if (lacking.length > 0) {
    return refuse(
      refusal('RESOURCES_LACKING', lacking.map(cause => cause.message).join('; '), { causes: lacking })
    )
  }
  return ok(
    withGpus(
      {
        cpu: { ...left.cpu, cores: (centiCores(left.cpu.cores) - centiCores(right.cpu.cores)) / 100 },
        ram: { ...left.ram, size: left.ram.size - right.ram.size },
        disk: { ...left.disk, size: left.disk.size - right.disk.size }
      },
      [...devices.values()]
    )
  )
}

type Lacking = ReturnType<typeof refusal>

/** One refusal for each of CPU, RAM and disk of which `free` has less than `asked`. */
export function lackingAmounts(free: Resources, asked: Resources): Lacking[] {
  const lacking: Lacking[] = []
  if (centiCores(asked.cpu.cores) > centiCores(free.cpu.cores)) {
    lacking.push(
      refusal(
        'RESOURCES_CPU_LACKING',
        `asked ${cores(asked.cpu.cores)}, ${formatCores(free.cpu.cores)} free`,
        {
          details: { asked: asked.cpu.cores, free: free.cpu.cores }
        }
      )
    )
  }
  for (const kind of ['ram', 'disk'] as const) {
    if (asked[kind].size <= free[kind].size) continue
    lacking.push(
      refusal(
        kind === 'ram' ? 'RESOURCES_RAM_LACKING' : 'RESOURCES_DISK_LACKING',
        `asked ${formatBytes(asked[kind].size)} of ${kind === 'ram' ? 'RAM' : 'disk'}, ${formatBytes(free[kind].size)} free`,
        { details: { asked: asked[kind].size, free: free[kind].size } }
      )
    )
  }
  return lacking
}

/** A refusal for one GPU that could not be had. */
export function lackingGpu(asked: GpuResources, freeVram: number): Lacking {
  const name = [asked.vendor === 'Unknown' || asked.vendor === 'None' ? '' : asked.vendor, asked.model]
    .filter(Boolean)
    .join(' ')
  return refusal(
    'RESOURCES_GPU_LACKING',
    `asked a GPU${name ? ` '${name}'` : ''} with ${formatBytes(asked.vram)} of VRAM, ${formatBytes(freeVram)} free on the best match`,
    { details: { asked: asked.vram, free: freeVram, vendor: asked.vendor, model: asked.model } }
  )
}

function formatCores(value: number): string {
  return String(Math.round(value * 100) / 100)
}

function cores(value: number): string {
  return `${formatCores(value)} ${value === 1 ? 'core' : 'cores'}`
}

/** Joins the comparisons of two parts (deployment §4.2). `None` wins over all, then `Worse`, then `Better`. */
export function combineComparisons(left: Comparison, right: Comparison): Comparison {
  for (const verdict of ['None', 'Worse', 'Better'] as const) {
    if (left === verdict || right === verdict) return verdict
  }
  return 'Equal'
}

function compareNumbers(have: number, asked: number): Comparison {
  if (have === asked) return 'Equal'
  return have > asked ? 'Better' : 'Worse'
}

/**
 * Compares what one has with what is asked (deployment §4.2). NOTE: an asked clock speed or architecture counts
 * only when it is given; the existing system takes absence for "0 Hz" and for "a machine without a name".
 */
export function compareResources(have: Resources, asked: Resources): Comparison {
  return [
    compareCpu(have, asked),
    compareNumbers(have.ram.size, asked.ram.size),
    compareNumbers(have.disk.size, asked.disk.size),
    compareGpus(have.gpus ?? [], asked.gpus ?? [])
  ].reduce(combineComparisons)
}

function compareCpu(have: Resources, asked: Resources): Comparison {
  if (asked.cpu.architecture && asked.cpu.architecture !== have.cpu.architecture) return 'None'
  const byCores = compareNumbers(centiCores(have.cpu.cores), centiCores(asked.cpu.cores))
  if (!asked.cpu.clock_speed) return byCores
  const compute = (side: Resources): number => centiCores(side.cpu.cores) * (side.cpu.clock_speed ?? 0)
  return combineWorst(byCores, compareNumbers(compute(have), compute(asked)))
}

/** Fewer cores are not made up for by a faster clock: the pool counts cores. */
function combineWorst(left: Comparison, right: Comparison): Comparison {
  if (left === 'Worse' || right === 'Worse') return 'Worse'
  return combineComparisons(left, right)
}

/** Each asked GPU takes its best remaining match by VRAM. Nothing asked is `Equal`, which changes no verdict. */
function compareGpus(have: readonly GpuResources[], asked: readonly GpuResources[]): Comparison {
  const remaining = have.map(gpu => gpu.vram).sort((a, b) => b - a)
  let verdict: Comparison = 'Equal'
  for (const want of asked.map(gpu => gpu.vram).sort((a, b) => b - a)) {
    const best = remaining.shift()
    verdict = combineComparisons(verdict, best === undefined ? 'Worse' : compareNumbers(best, want))
  }
  return verdict
}
