import type { Refusal, Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'
import { MAX_PORT_PROBES } from './constants.ts'
import type { ChosenPorts, PortAllocatorDeps, PortDemand, PortRange } from './types.ts'

/**
 * Chooses host ports for workloads (deployment §3.3). It keeps no books of its own: a port is reserved when a
 * reservation names it, so ports and hardware are taken and given back in the same row. `choose` alone therefore
 * locks nothing; `ResourceManager.commit` refuses a port that somebody took in between.
 */
export class PortAllocator {
  readonly #deps: PortAllocatorDeps
  readonly #range: PortRange

  constructor(deps: PortAllocatorDeps, range: PortRange) {
    this.#deps = deps
    this.#range = range
  }

  get range(): PortRange {
    return this.#range
  }

  /** Ports some reservation holds. */
  reserved(): Set<number> {
    return new Set(this.#deps.reservations.list().flatMap(record => record.ports))
  }

  /** All that is asked, or a refusal with one cause for each thing that cannot be had. */
  async choose(demand: PortDemand): Promise<Result<ChosenPorts>> {
    const reserved = this.reserved()
    const problems: Refusal[] = []
    const taken = new Set<number>()
    for (const port of demand.static) {
      const problem = await this.#staticProblem(port, reserved, taken)
      if (problem) problems.push(problem)
      taken.add(port)
    }
    const dynamic = await this.#lowestFree(demand.dynamic, port => !reserved.has(port) && !taken.has(port))
    if (dynamic.length < demand.dynamic) {
      problems.push(
        refusal(
          'RESOURCES_PORTS_LACKING',
          `asked ${demand.dynamic} ports of the provider's choice, ${dynamic.length} free`,
          {
            details: { asked: demand.dynamic, free: dynamic.length }
          }
        )
      )
    }
    if (problems.length === 0) return ok({ static: [...demand.static], dynamic })
    return refuse(
      refusal('RESOURCES_PORTS', problems.map(problem => problem.message).join('; '), { causes: problems })
    )
  }

  async #staticProblem(
    port: number,
    reserved: Set<number>,
    taken: Set<number>
  ): Promise<Refusal | undefined> {
    const { from, to } = this.#range
    const details = { port }
    if (!Number.isInteger(port) || port < from || port > to) {
      return refusal(
        'RESOURCES_PORT_RANGE',
        `port ${port} is outside the range ${from} to ${to} of this provider`,
        { details }
      )
    }
    if (reserved.has(port))
      return refusal('RESOURCES_PORT_RESERVED', `port ${port} is already reserved`, { details })
    if (taken.has(port)) return refusal('RESOURCES_PORT_RESERVED', `port ${port} is asked twice`, { details })
    if (!(await this.#deps.isPortFree(port))) {
      return refusal('RESOURCES_PORT_IN_USE', `port ${port} is in use by another program on the host`, {
        details
      })
    }
    return undefined
  }

  async #lowestFree(count: number, isCandidate: (port: number) => boolean): Promise<number[]> {
    const chosen: number[] = []
    let probes = 0
    for (let port = this.#range.from; port <= this.#range.to && chosen.length < count; port++) {
      if (!isCandidate(port)) continue
      if (++probes > MAX_PORT_PROBES) break
      if (await this.#deps.isPortFree(port)) chosen.push(port)
    }
    return chosen
  }
}
