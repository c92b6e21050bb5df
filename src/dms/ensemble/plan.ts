/** Questions the orchestrator asks of an ensemble. Pure; an unknown node name has no allocations. */

import type { GpuResources, Resources, Result } from '../../types/index.ts'
import { dependencyLevels } from './graph.ts'
import type { AllocationSpec, Ensemble, NodeSpec, PortSpec } from './types.ts'

function nodeOf(ensemble: Ensemble, nodeName: string): NodeSpec | undefined {
  return Object.hasOwn(ensemble.v1.nodes, nodeName) ? ensemble.v1.nodes[nodeName] : undefined
}

/** An allocation by name, or `undefined`; never something inherited from `Object`. */
export function findAllocation(ensemble: Ensemble, name: string): AllocationSpec | undefined {
  return Object.hasOwn(ensemble.v1.allocations, name) ? ensemble.v1.allocations[name] : undefined
}

/** Allocations of a node by name, in the order of the node's list; names that do not exist are left out. */
export function nodeAllocations(ensemble: Ensemble, nodeName: string): ReadonlyMap<string, AllocationSpec> {
  const found = new Map<string, AllocationSpec>()
  for (const name of nodeOf(ensemble, nodeName)?.allocations ?? []) {
    const allocation = findAllocation(ensemble, name)
    if (allocation !== undefined) found.set(name, allocation)
  }
  return found
}

/**
 * Start order of a node's allocations (deployment §2.9.3): level by level, parallel inside a level. Refused with
 * `ENSEMBLE_CYCLE` or `ENSEMBLE_UNKNOWN_NAME`.
 */
export function startLevels(ensemble: Ensemble, nodeName: string): Result<string[][]> {
  const graph = new Map<string, readonly string[]>()
  for (const [name, allocation] of nodeAllocations(ensemble, nodeName))
    graph.set(name, allocation.depends_on ?? [])
  return dependencyLevels(graph)
}

/**
 * What a node must have for all its allocations: cores, memory and disk added, every GPU listed. The highest
 * asked clock speed counts; another fact (architecture, disk type …) is taken from the first that names it.
 */
export function nodeDemand(ensemble: Ensemble, nodeName: string): Resources {
  const parts = [...nodeAllocations(ensemble, nodeName).values()].map(allocation => allocation.resources)
  const demand: Resources = {
    cpu: {
      ...firstFacts(parts.map(part => part.cpu)),
      cores: roundCores(sum(parts.map(part => part.cpu.cores)))
    },
    ram: { ...firstFacts(parts.map(part => part.ram)), size: sum(parts.map(part => part.ram.size)) },
    disk: { ...firstFacts(parts.map(part => part.disk)), size: sum(parts.map(part => part.disk.size)) }
  }
  setHighest(
    demand.cpu,
    parts.map(part => part.cpu.clock_speed)
  )
  setHighest(
    demand.ram,
    parts.map(part => part.ram.clock_speed)
  )
  const gpus = distinctGpus(parts.flatMap(part => part.gpus ?? []))
  return gpus.length > 0 ? { ...demand, gpus } : demand
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** Cores are added with two decimals (deployment §4.3), so that 0.1 + 0.2 asks for 0.3. */
function roundCores(cores: number): number {
  return Math.round(cores * 100) / 100
}

/** The first set value of each member. */
function firstFacts<T extends object>(parts: readonly T[]): Partial<T> {
  const facts: Partial<T> = {}
  for (const part of parts) {
    for (const [key, value] of Object.entries(part)) {
      if (value !== undefined && !Object.hasOwn(facts, key)) Object.assign(facts, { [key]: value })
    }
  }
  return facts
}

function setHighest(
  target: { clock_speed?: number | undefined },
  speeds: readonly (number | undefined)[]
): void {
  const asked = speeds.filter(speed => speed !== undefined)
  if (asked.length > 0) target.clock_speed = Math.max(...asked)
}

/**
 * The existing system adds GPUs by `index` and so loses those with an index already taken (deployment §4.3).
 * Here each asked GPU stays one device: a second claim on an index moves to the lowest free one.
 */
function distinctGpus(gpus: readonly GpuResources[]): GpuResources[] {
  const taken = new Set<number>()
  const kept: GpuResources[] = []
  for (const gpu of gpus) {
    let index = gpu.index
    if (taken.has(index)) {
      index = 0
      while (taken.has(index)) index++
    }
    taken.add(index)
    kept.push({ ...gpu, index })
  }
  return kept
}

/** Executors a node must offer, each once, in order of first use. */
export function nodeExecutors(ensemble: Ensemble, nodeName: string): string[] {
  return [
    ...new Set([...nodeAllocations(ensemble, nodeName).values()].map(allocation => allocation.executor))
  ]
}

/** Ports of a node: `fixed` have a public port, `dynamic` leave it to the provider. */
export function nodePorts(ensemble: Ensemble, nodeName: string): { fixed: PortSpec[]; dynamic: PortSpec[] } {
  const ports = nodeOf(ensemble, nodeName)?.ports ?? []
  return { fixed: ports.filter(port => port.public !== 0), dynamic: ports.filter(port => port.public === 0) }
}

/** True when an allocation of the node asks for a privileged container. */
export function nodeNeedsPrivilege(ensemble: Ensemble, nodeName: string): boolean {
  return [...nodeAllocations(ensemble, nodeName).values()].some(
    allocation => allocation.execution.type === 'docker' && allocation.execution.params['privileged'] === true
  )
}

/** The node an allocation is on, or `undefined`. */
export function nodeOfAllocation(ensemble: Ensemble, allocation: string): string | undefined {
  return Object.entries(ensemble.v1.nodes).find(([, node]) => node.allocations.includes(allocation))?.[0]
}
