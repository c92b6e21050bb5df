/**
 * Phase one of a deployment (deployment §3.2): a committed reservation of hardware and host ports, held by the
 * orchestrator that asked, until it is allocated, reverted or expired.
 */

import type { Handle, Refusal, Result } from '../../types/index.ts'
import { Mutex, ok, refusal, refuse } from '../../utils/index.ts'
import type { BidDesk } from './bidding.ts'
import { MAX_PORTS_PER_COMMIT } from './constants.ts'
import { parseAllocationId } from './ids.ts'
import type { CommitRequest } from './messages.ts'
import type { ProviderDeps } from './types.ts'

/** Host port to workload port, the wire form: keys are decimal strings. */
export type PortMapping = Readonly<Record<string, number>>

type Deps = Pick<ProviderDeps, 'db' | 'resources' | 'ports' | 'clock'> & { readonly bids: BidDesk }

export class Commitments {
  readonly #deps: Deps
  readonly #ttlMs: number
  /** Choosing ports waits for probes; two commits must not choose the same. */
  readonly #mutex = new Mutex()
  /** Mappings of live commits, by allocation id: the reservation row keeps only the host ports. */
  readonly #mappings = new Map<string, PortMapping>()

  constructor(deps: Deps, options: { commitTtlMs: number }) {
    this.#deps = deps
    this.#ttlMs = options.commitTtlMs
  }

  /** Reserves, and says which host ports were chosen. */
  async commit(request: CommitRequest, from: Handle): Promise<Result<{ portMapping: PortMapping }>> {
    const id = parseAllocationId(request.EnsembleID, request.AllocationName)
    if (!id.ok) return id
    const wishes = readPorts(request)
    if (!wishes.ok) return wishes
    return await this.#mutex.run(async () => {
      const problem = this.#problem(request, from)
      if (problem) return refuse(problem)
      const { fixed, dynamic } = wishes.value
      const chosen = await this.#deps.ports.choose({ static: [...fixed.keys()], dynamic: dynamic.length })
      if (!chosen.ok) return chosen
      const pairs = [
        ...fixed,
        ...chosen.value.dynamic.map((port, index): [number, number] => [port, dynamic[index] ?? port])
      ]
      const committed = this.#deps.resources.commit([
        {
          allocationId: id.value,
          ensembleId: request.EnsembleID,
          nodeId: request.NodeID,
          owner: from.id,
          resources: request.Resources,
          ports: pairs.map(([port]) => port),
          expiresAtMs: this.#deps.clock.nowMs() + this.#ttlMs
        }
      ])
      if (!committed.ok) return committed
      const portMapping = Object.fromEntries(pairs)
      this.#mappings.set(id.value, portMapping)
      return ok({ portMapping })
    })
  }

  /** The mapping of a live commit; empty when the node was restarted since. */
  mappingOf(allocationId: string): PortMapping {
    return this.#mappings.get(allocationId) ?? {}
  }

  /** Gives a commit back, if it is one. */
  uncommit(allocationId: string): void {
    this.#mappings.delete(allocationId)
    if (this.#deps.db.reservations.get(allocationId)?.state === 'committed')
      this.#deps.resources.release(allocationId)
  }

  /** Forgets the mappings of commits that are over. */
  sweep(): void {
    for (const id of this.#mappings.keys()) {
      if (this.#deps.db.reservations.get(id)?.state !== 'committed') this.#mappings.delete(id)
    }
  }

  #problem(request: CommitRequest, from: Handle): Refusal | undefined {
    const { bids, db } = this.#deps
    const bid = bids.find(request.EnsembleID, from.id)
    if (bid === undefined) {
      return refusal(
        'COMMIT_NO_BID',
        `no bid for ensemble '${request.EnsembleID}', or it expired; ask for bids again`
      )
    }
    if (request.NodeID !== '' && !bid.nodes.has(request.NodeID)) {
      const offered = [...bid.nodes].map(node => `'${node}'`).join(' or ')
      return refusal('COMMIT_NODE', `the bid was for node ${offered}, not for '${request.NodeID}'`)
    }
    if (db.reservations.listByEnsemble(request.EnsembleID).some(record => record.owner !== from.id)) {
      return refusal('COMMIT_FOREIGN', 'another orchestrator holds reservations under this ensemble id')
    }
    return undefined
  }
}

/** Ports of the provider's choice come as `DynamicPorts`, or as host port 0 from older orchestrators. */
function readPorts(request: CommitRequest): Result<{ fixed: Map<number, number>; dynamic: number[] }> {
  const fixed = new Map<number, number>()
  const dynamic = [...request.DynamicPorts]
  for (const [publicPort, workloadPort] of Object.entries(request.PortMapping)) {
    if (workloadPort < 1)
      return refuse(refusal('COMMIT_PORT', `workload port ${workloadPort} is not in 1 to 65535`))
    if (Number(publicPort) === 0) dynamic.push(workloadPort)
    else fixed.set(Number(publicPort), workloadPort)
  }
  if (fixed.size + dynamic.length <= MAX_PORTS_PER_COMMIT) return ok({ fixed, dynamic })
  return refuse(refusal('COMMIT_PORT', `more than ${MAX_PORTS_PER_COMMIT} ports`))
}
