/**
 * The provider's pool: arithmetic on hardware, reservations that never exceed what the owner offers, host ports.
 *
 * @example
 * ```ts
 * const resources = new ResourceManager({ reservations: db.reservations, onboarding: db.onboarding, clock, log })
 * const verdict = resources.fits({ cpu: { cores: 4 }, ram: { size: 2 ** 30 }, disk: { size: 2 ** 30 } })
 * if (!verdict.ok) console.error(renderRefusal(verdict.error)) // asked 4 cores, 1.5 free (RESOURCES_CPU_LACKING)
 * ```
 *
 * @packageDocumentation
 */
export {
  addResources,
  centiCores,
  combineComparisons,
  compareResources,
  gpuIdentity,
  lackingAmounts,
  NO_RESOURCES,
  subtractResources,
  sumResources
} from './arithmetic.ts'
export { MAX_PORT_PROBES, MAX_RESERVATIONS, SWEEP_MS } from './constants.ts'
export { assignGpus } from './gpu-assignment.ts'
export { isHostPortFree } from './host-ports.ts'
export { PortAllocator } from './port-allocator.ts'
export { ResourceManager } from './resource-manager.ts'
export type {
  ChosenPorts,
  Claim,
  Comparison,
  PortAllocatorDeps,
  PortDemand,
  PortRange,
  ResourceManagerDeps,
  ResourceManagerOptions
} from './types.ts'
