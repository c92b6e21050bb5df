/**
 * Checks that an ensemble makes sense, whoever made it: the node that receives one must not assume that it passed
 * the rules of the file format (deployment §1.1).
 */

import type { Refusal } from '../../types/index.ts'
import { refusal } from '../../utils/index.ts'
import { MAX_ALLOCATIONS_PER_NODE, MAX_NODES, MIN_PUBLIC_PORT } from './constants.ts'
import { isAllocationName, isHostName, isNodeName } from './names.ts'
import { findAllocation, startLevels } from './plan.ts'
import type { AllocationSpec, Ensemble, NodeSpec } from './types.ts'

/** Refusals returned at most; a hostile ensemble could have thousands. */
const MAX_REFUSALS = 32

/**
 * Everything that stands against deploying it, empty when nothing does. Codes: `ENSEMBLE_EMPTY`, `ENSEMBLE_NAME`,
 * `ENSEMBLE_UNKNOWN_NAME`, `ENSEMBLE_DUPLICATE`, `ENSEMBLE_PORT`, `ENSEMBLE_RESOURCES`, `ENSEMBLE_EXECUTION`,
 * `ENSEMBLE_CYCLE`, `ENSEMBLE_EDGE`, `ENSEMBLE_LIMIT`.
 */
export function checkEnsemble(ensemble: Ensemble): Refusal[] {
  const found: Refusal[] = []
  for (const refused of refusals(ensemble)) {
    found.push(refused)
    if (found.length >= MAX_REFUSALS) break
  }
  return found
}

function* refusals(ensemble: Ensemble): Generator<Refusal> {
  const { allocations, nodes } = ensemble.v1
  if (Object.keys(allocations).length === 0)
    yield refusal('ENSEMBLE_EMPTY', 'the ensemble has no allocations')
  if (Object.keys(nodes).length === 0) yield refusal('ENSEMBLE_EMPTY', 'the ensemble has no nodes')
  if (Object.keys(nodes).length > MAX_NODES)
    yield refusal('ENSEMBLE_LIMIT', `the ensemble has more than ${MAX_NODES} nodes`)
  for (const [name, spec] of Object.entries(allocations)) yield* checkAllocation(ensemble, name, spec)
  yield* checkUnique(
    'allocation',
    Object.keys(allocations).map(name => name.toLowerCase())
  )
  yield* checkUnique(
    'dns_name',
    Object.values(allocations).map(spec => spec.dns_name)
  )
  for (const [name, spec] of Object.entries(nodes)) yield* checkNode(ensemble, name, spec)
  yield* checkUnique(
    'allocation on a node',
    Object.values(nodes).flatMap(spec => spec.allocations)
  )
  // A peer takes one node of an ensemble (deployment §2.4.2), so such a deployment would wait for its deadline.
  yield* checkUnique(
    'peer of a node',
    Object.values(nodes).flatMap(spec => spec.peer ?? [])
  )
  yield* checkEdges(ensemble)
}

function* checkUnique(what: string, names: readonly string[]): Generator<Refusal> {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name))
      yield refusal('ENSEMBLE_DUPLICATE', `${what} '${name}' is there twice`, { details: { name } })
    seen.add(name)
  }
}

function* checkAllocation(ensemble: Ensemble, name: string, spec: AllocationSpec): Generator<Refusal> {
  const at = `allocation '${name.slice(0, 80)}'`
  if (!isAllocationName(name))
    yield refusal('ENSEMBLE_NAME', `${at}: expected a name of 1 to 63 letters, digits and '-'`)
  if (!isHostName(spec.dns_name))
    yield refusal('ENSEMBLE_NAME', `${at}: '${spec.dns_name.slice(0, 80)}' is not a host name`)
  if (spec.execution.type === '' || spec.executor !== spec.execution.type) {
    const message = `${at}: executor '${spec.executor}' and execution type '${spec.execution.type}' must be the same`
    yield refusal('ENSEMBLE_EXECUTION', message)
  }
  const { cpu, ram, disk } = spec.resources
  for (const [what, value] of Object.entries({
    'cpu.cores': cpu.cores,
    'ram.size': ram.size,
    'disk.size': disk.size
  })) {
    if (!(value > 0)) yield refusal('ENSEMBLE_RESOURCES', `${at}: ${what} must be above 0, found ${value}`)
  }
  for (const script of spec.provision ?? []) {
    if (Object.hasOwn(ensemble.v1.scripts ?? {}, script)) continue
    yield refusal('ENSEMBLE_UNKNOWN_NAME', `${at}: there is no script '${script}'`)
  }
}

function* checkNode(ensemble: Ensemble, name: string, spec: NodeSpec): Generator<Refusal> {
  const at = `node '${name.slice(0, 80)}'`
  if (!isNodeName(name))
    yield refusal('ENSEMBLE_NAME', `${at}: expected a name of 1 to 63 letters, digits, '-' and '_'`)
  if (spec.allocations.length === 0) yield refusal('ENSEMBLE_EMPTY', `${at} has no allocations`)
  if (spec.allocations.length > MAX_ALLOCATIONS_PER_NODE) {
    yield refusal('ENSEMBLE_LIMIT', `${at} has more than ${MAX_ALLOCATIONS_PER_NODE} allocations`)
  }
  for (const allocation of spec.allocations) {
    if (findAllocation(ensemble, allocation) !== undefined) continue
    yield refusal('ENSEMBLE_UNKNOWN_NAME', `${at}: there is no allocation '${allocation}'`)
  }
  const levels = startLevels(ensemble, name)
  if (!levels.ok) yield { ...levels.error, message: `${at}: ${levels.error.message}` }
  yield* checkPorts(spec, at)
}

function* checkPorts(spec: NodeSpec, at: string): Generator<Refusal> {
  const taken = new Set<number>()
  for (const port of spec.ports ?? []) {
    if (port.public !== 0 && port.public < MIN_PUBLIC_PORT) {
      yield refusal('ENSEMBLE_PORT', `${at}: public port ${port.public} is below ${MIN_PUBLIC_PORT}`)
    }
    if (port.private < 1) yield refusal('ENSEMBLE_PORT', `${at}: private port ${port.private} is not a port`)
    if (port.public !== 0 && taken.has(port.public))
      yield refusal('ENSEMBLE_PORT', `${at}: public port ${port.public} is there twice`)
    taken.add(port.public)
    if (spec.allocations.includes(port.allocation)) continue
    yield refusal(
      'ENSEMBLE_PORT',
      `${at}: port ${port.public} leads to '${port.allocation}', which is not on this node`
    )
  }
}

function* checkEdges({ v1 }: Ensemble): Generator<Refusal> {
  for (const { S, T } of v1.edges ?? []) {
    if (!Object.hasOwn(v1.nodes, S) || !Object.hasOwn(v1.nodes, T) || S === T) {
      yield refusal(
        'ENSEMBLE_EDGE',
        `edge from '${S}' to '${T}': expected two different nodes of the ensemble`
      )
    }
  }
}
