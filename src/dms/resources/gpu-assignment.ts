import type { GpuResources, Refusal, Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'
import { lackingGpu } from './arithmetic.ts'

/**
 * Gives each asked GPU a device of its own among the free ones. A UUID or PCI address in the wish is binding,
 * so are vendor and model when given; an index is not, since its absence reads as 0. No VRAM asked means the
 * whole device. The answer carries the devices' identity, so that the books can be kept by device.
 */
export function assignGpus(
  free: readonly GpuResources[],
  asked: readonly GpuResources[]
): Result<GpuResources[]> {
  const remaining = [...free].sort((a, b) => a.vram - b.vram)
  const lacking: Refusal[] = []
  const assigned: GpuResources[] = []
  // The choosiest wishes first, then the largest: a wish for anything must not take the only match of another.
  for (const want of [...asked].sort((a, b) => weight(b) - weight(a) || b.vram - a.vram)) {
    const matches = remaining.filter(device => isMatch(device, want))
    const device = matches.find(match => match.vram > 0 && match.vram >= want.vram)
    if (device === undefined) {
      lacking.push(lackingGpu(want, Math.max(0, ...matches.map(match => match.vram))))
      continue
    }
    remaining.splice(remaining.indexOf(device), 1)
    assigned.push({ ...device, vram: want.vram === 0 ? device.vram : want.vram })
  }
  if (lacking.length === 0) return ok(assigned)
  return refuse(
    refusal('RESOURCES_LACKING', lacking.map(cause => cause.message).join('; '), { causes: lacking })
  )
}

function isMatch(device: GpuResources, want: GpuResources): boolean {
  if (want.uuid !== '' && want.uuid !== device.uuid) return false
  if (want.pci_address !== '' && want.pci_address !== device.pci_address) return false
  if (hasVendor(want) && want.vendor !== device.vendor) return false
  return want.model === '' || want.model === device.model
}

function hasVendor(gpu: GpuResources): boolean {
  return gpu.vendor !== 'Unknown' && gpu.vendor !== 'None'
}

function weight(want: GpuResources): number {
  if (want.uuid !== '' || want.pci_address !== '') return 3
  if (want.model !== '') return 2
  return hasVendor(want) ? 1 : 0
}
