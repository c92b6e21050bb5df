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

  /**
   * Whether all that is asked could be had, without looking for dynamic ports on the host. `probe: false` asks the
   * host nothing at all.
   */
  async check(
    demand: PortDemand,
    options: { reserved?: Set<number>; probe: boolean }
  ): Promise<Result<void>> {
    const reserved = options.reserved ?? this.reserved()
    const { problems, taken } = await this.#checkStatic(demand.static, reserved, options.probe)
    const { from, to } = this.#range
    const inRange = [...new Set([...reserved, ...taken])].filter(port => port >= from && port <= to).length
    const free = to - from + 1 - inRange
    if (demand.dynamic > free) problems.push(tooFew(demand.dynamic, free))
    return problems.length === 0 ? ok(undefined) : refuseAll(problems)
  }

  /** All that is asked, or a refusal with one cause for each thing that cannot be had. */
  async choose(demand: PortDemand): Promise<Result<ChosenPorts>> {
    const reserved = this.reserved()
    const { problems, taken } = await this.#checkStatic(demand.static, reserved, true)
    const dynamic = await this.#lowestFree(demand.dynamic, port => !reserved.has(port) && !taken.has(port))
    if (dynamic.length < demand.dynamic) problems.push(tooFew(demand.dynamic, dynamic.length))
    return problems.length === 0 ? ok({ static: [...demand.static], dynamic }) : refuseAll(problems)
  }

  async #checkStatic(
    ports: readonly number[],
    reserved: Set<number>,
    probe: boolean
  ): Promise<{ problems: Refusal[]; taken: Set<number> }> {
    const problems: Refusal[] = []
    const taken = new Set<number>()
    for (const port of ports) {
      const problem =
        this.#bookProblem(port, reserved, taken) ?? (probe ? await this.#hostProblem(port) : undefined)
      if (problem) problems.push(problem)
      taken.add(port)
    }
    return { problems, taken }
  }

  #bookProblem(port: number, reserved: Set<number>, taken: Set<number>): Refusal | undefined {
    const { from, to } = this.#range
    const details = { port }
    if (!Number.isInteger(port) || port < from || port > to) {
      const problem = `port ${port} is outside the range ${from} to ${to} of this provider`
      return refusal('RESOURCES_PORT_RANGE', problem, { details })
    }
    if (reserved.has(port))
      return refusal('RESOURCES_PORT_RESERVED', `port ${port} is already reserved`, { details })
    if (taken.has(port)) return refusal('RESOURCES_PORT_RESERVED', `port ${port} is asked twice`, { details })
    return undefined
  }

  async #hostProblem(port: number): Promise<Refusal | undefined> {
    if (await this.#deps.isPortFree(port)) return undefined
    const problem = `port ${port} is in use by another program on the host`
    return refusal('RESOURCES_PORT_IN_USE', problem, { details: { port } })
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

function tooFew(asked: number, free: number): Refusal {
  const problem = `asked ${asked} ports of the provider's choice, ${free} free`
  return refusal('RESOURCES_PORTS_LACKING', problem, { details: { asked, free } })
}

function refuseAll(causes: readonly Refusal[]): Result<never> {
  return refuse(refusal('RESOURCES_PORTS', causes.map(cause => cause.message).join('; '), { causes }))
}
