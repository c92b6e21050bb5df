/**
 * The pool of hardware the owner offers. Its books are the reservation rows: free is always onboarded minus all
 * reservations, computed from the database, so that nothing can leak in memory and a restart changes nothing.
 * Each check and the write that follows it run in one go: repository calls are synchronous, so two claims cannot
 * both take the last core.
 */

import type { ReservationRecord } from '../../db/index.ts'
import type { Resources, Result, Startable, Timer } from '../../types/index.ts'
import { errorMessage, ok, refusal, refuse } from '../../utils/index.ts'
import { lackingAmounts, NO_RESOURCES, subtractResources, sumResources } from './arithmetic.ts'
import { MAX_RESERVATIONS, SWEEP_MS } from './constants.ts'
import { assignGpus } from './gpu-assignment.ts'
import type { Claim, ResourceManagerDeps, ResourceManagerOptions } from './types.ts'

/** The books of the pool: what is onboarded, committed, allocated and free. */
export class ResourceManager implements Startable {
  readonly #deps: ResourceManagerDeps
  readonly #sweepMs: number
  #timer: Timer | undefined

  constructor(deps: ResourceManagerDeps, options: ResourceManagerOptions = {}) {
    this.#deps = deps
    this.#sweepMs = options.sweepMs ?? SWEEP_MS
  }

  /** Begins the sweep of expired commits. A second call does nothing. */
  async start(): Promise<void> {
    if (this.#timer) return
    this.sweep()
    this.#schedule()
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** What the owner offers; absent before onboarding. */
  onboarded(): Resources | undefined {
    return this.#deps.onboarding.get()?.resources
  }

  /** What allocations use, commits not counted. */
  allocated(): Resources {
    return sumResources(this.#list('allocated').map(record => record.resources))
  }

  /** What commits hold. */
  committed(): Resources {
    return sumResources(this.#list('committed').map(record => record.resources))
  }

  /** Onboarded minus all reservations; nothing before onboarding. */
  free(): Resources {
    const onboarded = this.onboarded()
    if (onboarded === undefined) return NO_RESOURCES
    const taken = sumResources(this.#deps.reservations.list().map(record => record.resources))
    const free = subtractResources(onboarded, taken)
    if (free.ok) return free.value
    // Only an edited database gets here. Offering nothing is safe; offering a negative amount is not.
    this.#deps.log.error('more is reserved than onboarded', { reason: free.error.message })
    return NO_RESOURCES
  }

  /**
   * Whether the free pool holds `demand`; a refusal names each thing that is lacking, asked and free. Whoever asks
   * many times in one go passes what `free` said.
   */
  fits(demand: Resources, free: Resources = this.free()): Result<void> {
    const resolved = this.#resolve(demand, free)
    return resolved.ok ? ok(undefined) : resolved
  }

  /** Takes all claims from the free pool or none. The rows are on disk when this returns. */
  commit(claims: readonly Claim[]): Result<ReservationRecord[]> {
    this.sweep()
    const { reservations, clock } = this.#deps
    const existing = reservations.list()
    if (existing.length + claims.length > MAX_RESERVATIONS) {
      return refuse(refusal('RESOURCES_TOO_MANY', `more than ${MAX_RESERVATIONS} reservations`))
    }
    const conflict = findConflict(existing, claims)
    if (conflict) return conflict
    const records: ReservationRecord[] = []
    let free = this.free()
    for (const claim of claims) {
      const resolved = this.#resolve(claim.resources, free)
      if (!resolved.ok) return resolved
      const rest = subtractResources(free, resolved.value)
      if (!rest.ok) return rest
      free = rest.value
      records.push({ ...claim, state: 'committed', resources: resolved.value, createdAtMs: clock.nowMs() })
    }
    reservations.insert(records)
    return ok(records)
  }

  /** Turns a commit into an allocation; nothing is taken again. */
  allocate(allocationId: string): Result<ReservationRecord> {
    this.sweep()
    const record = this.#deps.reservations.get(allocationId)
    if (record === undefined) return refuse(unknown(allocationId, 'is not committed, or its commit expired'))
    if (record.state === 'allocated') {
      return refuse(
        refusal('RESOURCES_ALLOCATED', `'${allocationId}' is already allocated`, {
          details: { allocationId }
        })
      )
    }
    const { expiresAtMs: _, ...kept } = record
    const allocated: ReservationRecord = { ...kept, state: 'allocated' }
    this.#deps.reservations.update(allocated)
    return ok(allocated)
  }

  /** Gives back a commit or an allocation. Giving back what is not held is a refusal. */
  release(allocationId: string): Result<void> {
    if (this.#deps.reservations.delete(allocationId)) return ok(undefined)
    return refuse(unknown(allocationId, 'holds no reservation'))
  }

  /** Ends the commits whose time has come; returns their ids. */
  sweep(): string[] {
    const { reservations, clock, log } = this.#deps
    const now = clock.nowMs()
    const expired = reservations.list().filter(record => isExpired(record, now))
    for (const record of expired) {
      reservations.delete(record.allocationId)
      log.info('commit expired', { allocationId: record.allocationId, ensembleId: record.ensembleId })
    }
    return expired.map(record => record.allocationId)
  }

  #list(state: ReservationRecord['state']): ReservationRecord[] {
    return this.#deps.reservations.list().filter(record => record.state === state)
  }

  /** The demand with its GPUs bound to devices, if `free` holds it. */
  #resolve(demand: Resources, free: Resources): Result<Resources> {
    if (this.onboarded() === undefined) {
      return refuse(refusal('RESOURCES_NOT_ONBOARDED', 'the machine is not onboarded'))
    }
    const gpus = assignGpus(free.gpus ?? [], demand.gpus ?? [])
    const lacking = [...lackingAmounts(free, demand), ...(gpus.ok ? [] : (gpus.error.causes ?? []))]
    if (lacking.length > 0 || !gpus.ok) {
      return refuse(
        refusal('RESOURCES_LACKING', lacking.map(cause => cause.message).join('; '), { causes: lacking })
      )
    }
    const { gpus: _, ...rest } = demand
    return ok(gpus.value.length > 0 ? { ...rest, gpus: gpus.value } : rest)
  }

  #schedule(): void {
    this.#timer = this.#deps.clock.setTimer(this.#sweepMs, () => {
      try {
        this.sweep()
      } catch (error) {
        this.#deps.log.error('sweep of expired commits failed', { reason: errorMessage(error) })
      }
      this.#schedule()
    })
  }
}

function isExpired(record: ReservationRecord, nowMs: number): boolean {
  return record.state === 'committed' && record.expiresAtMs !== undefined && record.expiresAtMs <= nowMs
}

function unknown(allocationId: string, problem: string) {
  return refusal('RESOURCES_UNKNOWN', `'${allocationId}' ${problem}`, { details: { allocationId } })
}

/** A claim whose id or one of whose ports is taken, by another reservation or by an earlier claim of the same call. */
function findConflict(
  existing: readonly ReservationRecord[],
  claims: readonly Claim[]
): Result<never> | undefined {
  const ids = new Set(existing.map(record => record.allocationId))
  const ports = new Set(existing.flatMap(record => record.ports))
  for (const claim of claims) {
    const { allocationId } = claim
    if (ids.has(allocationId)) {
      return refuse(
        refusal('RESOURCES_COMMITTED', `'${allocationId}' is already committed`, {
          details: { allocationId }
        })
      )
    }
    ids.add(allocationId)
    for (const port of claim.ports) {
      if (ports.has(port)) {
        return refuse(
          refusal('RESOURCES_PORT_RESERVED', `port ${port} is already reserved`, { details: { port } })
        )
      }
      ports.add(port)
    }
  }
  return undefined
}
