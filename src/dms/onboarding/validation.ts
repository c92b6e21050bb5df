/** The limits of an offer as pure functions: what the machine can give, and what it has free now. */

import type { GpuResources, Refusal, Resources } from '../../types/index.ts'
import { GIB, refusal } from '../../utils/index.ts'
import { centiCores, gpuIdentity } from '../resources/index.ts'
import { MAX_DISK_SHARE, MAX_MEMORY_SHARE, MIN_DISK_BYTES, MIN_MEMORY_SHARE } from './constants.ts'

/** What the machine can never give: one refusal per limit that the offer breaks. */
export function capacityProblems(offer: Resources, machine: Resources): Refusal[] {
  const problems: Refusal[] = []
  const cores = offer.cpu.cores
  if (!(cores >= 1 && cores <= machine.cpu.cores)) {
    problems.push(
      refusal(
        'ONBOARDING_CPU',
        `capacity not met: cores: expected between 1 and ${machine.cpu.cores}, got ${cores}`,
        {
          details: { min: 1, max: machine.cpu.cores, value: cores }
        }
      )
    )
  }
  const ram = machine.ram.size
  const disk = machine.disk.size
  return [
    ...problems,
    ...outside('ONBOARDING_RAM', 'RAM', offer.ram.size, ram * MIN_MEMORY_SHARE, ram * MAX_MEMORY_SHARE),
    ...outside('ONBOARDING_DISK', 'disk', offer.disk.size, MIN_DISK_BYTES, disk * MAX_DISK_SHARE),
    ...(offer.gpus ?? []).flatMap(gpu => gpuProblems(gpu, machine.gpus ?? [])),
    ...doubleGpus(offer.gpus ?? [])
  ]
}

function gpuProblems(gpu: GpuResources, machine: readonly GpuResources[]): Refusal[] {
  const device = machine.find(candidate => candidate.index === gpu.index)
  if (device === undefined) {
    return [
      refusal('ONBOARDING_GPU', `capacity not met: no GPU with index ${gpu.index} in this machine`, {
        details: { index: gpu.index }
      })
    ]
  }
  const name = `VRAM of GPU ${gpu.index}`
  return outside(
    'ONBOARDING_GPU',
    name,
    gpu.vram,
    device.vram * MIN_MEMORY_SHARE,
    device.vram * MAX_MEMORY_SHARE
  )
}

function doubleGpus(gpus: readonly GpuResources[]): Refusal[] {
  const twice = gpus.filter((gpu, position) => gpus.findIndex(other => other.index === gpu.index) < position)
  return twice.map(({ index }) =>
    refusal('ONBOARDING_GPU', `capacity not met: GPU ${index} is offered twice`, { details: { index } })
  )
}

function outside(code: string, name: string, value: number, min: number, max: number): Refusal[] {
  if (value >= Math.floor(min) && value <= Math.ceil(max)) return []
  const expected = `expected between ${gib(min)} and ${gib(max)} GiB, got ${gib(value)} GiB`
  return [refusal(code, `capacity not met: ${name}: ${expected}`, { details: { min, max, value } })]
}

/** What other programs use now: one refusal per amount that the offer exceeds. It may pass with time. */
export function usageProblems(offer: Resources, free: Resources): Refusal[] {
  const problems: Refusal[] = []
  const compute = (side: Resources): number => centiCores(side.cpu.cores)
  if (compute(offer) > compute(free)) {
    problems.push(
      refusal(
        'ONBOARDING_CPU_BUSY',
        `machine has high usage: cores: offered ${offer.cpu.cores}, ${free.cpu.cores} free now`,
        {
          details: { offered: offer.cpu.cores, free: free.cpu.cores }
        }
      )
    )
  }
  for (const kind of ['ram', 'disk'] as const) {
    if (offer[kind].size <= free[kind].size) continue
    const name = kind === 'ram' ? 'RAM' : 'disk'
    problems.push(
      refusal(
        kind === 'ram' ? 'ONBOARDING_RAM_BUSY' : 'ONBOARDING_DISK_BUSY',
        `machine has high usage: ${name}: offered ${gib(offer[kind].size)} GiB, ${gib(free[kind].size)} GiB free now`,
        { details: { offered: offer[kind].size, free: free[kind].size } }
      )
    )
  }
  const freeVram = new Map((free.gpus ?? []).map(gpu => [gpuIdentity(gpu), gpu.vram]))
  for (const gpu of offer.gpus ?? []) {
    const left = freeVram.get(gpuIdentity(gpu)) ?? gpu.vram
    if (gpu.vram <= left) continue
    problems.push(
      refusal(
        'ONBOARDING_GPU_BUSY',
        `machine has high usage: GPU ${gpu.index}: offered ${gib(gpu.vram)} GiB, ${gib(left)} GiB free now`,
        {
          details: { offered: gpu.vram, free: left }
        }
      )
    )
  }
  return problems
}

function gib(bytes: number): string {
  return String(Math.round((bytes / GIB) * 100) / 100)
}
