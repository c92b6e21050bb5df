/**
 * Whether to bid (deployment §3.1). A bid locks nothing; it is remembered for five minutes, since a commit needs
 * one. A "no" is a tree with one cause per entry and per thing that is lacking, so that a user can read for each
 * node what this provider lacked.
 */

import type { Executor } from '../../executor/index.ts'
import type { Handle, Refusal, Resources, Result } from '../../types/index.ts'
import { deadline, ok, refusal, refuse } from '../../utils/index.ts'
import { compareResources } from '../resources/index.ts'
import {
  COMMIT_TTL_MS,
  FINGERPRINT_LIMIT_MS,
  FINGERPRINT_TTL_MS,
  MAX_ALTERNATIVES,
  MAX_BID_PROBES,
  MAX_REMEMBERED_BIDS
} from './constants.ts'
import { formatLocation, satisfiesLocation } from './location.ts'
import type { BidEntry, BidRequest } from './messages.ts'
import type { ProviderDeps } from './types.ts'

/** What a provider offers in answer to a request. */
export interface BidDecision {
  /** The node it bids for. */
  readonly entry: BidEntry
  /**
   * Extension, for an orchestrator that asked for reasons: other nodes it would take instead. It takes one of an
   * ensemble, but who chooses among several providers must know what each could do.
   */
  readonly alternatives: readonly BidEntry[]
  /** Why it does not bid for the remaining nodes that were looked at. */
  readonly declined: Refusal | undefined
}

/** A bid that was made. */
export interface RememberedBid {
  readonly ensembleId: string
  /** Nodes that may be committed: the one bid for and its alternatives. */
  readonly nodes: ReadonlySet<string>
  /** Actor id of who asked. */
  readonly owner: string
  readonly expiresAtMs: number
}

type Deps = Pick<
  ProviderDeps,
  'resources' | 'ports' | 'onboarding' | 'executors' | 'peerId' | 'location' | 'clock' | 'random'
>

/** The books as they are while one request is weighed, read once. */
interface Books {
  readonly free: Resources
  readonly reserved: Set<number>
  /** One request must not make this host bind all its ports. */
  probesLeft: number
}

interface CachedFingerprint {
  readonly problem: Refusal | undefined
  readonly untilMs: number
}

export class BidDesk {
  readonly #deps: Deps
  readonly #allowPrivileged: boolean
  /** By ensemble id and asker, so that nobody can take another's ensemble by its id. Insertion order is age. */
  readonly #bids = new Map<string, RememberedBid>()
  /** Answered `<ensemble id>/<asker>/<nonce>`, with the time they may be forgotten. */
  readonly #answered = new Map<string, number>()
  readonly #fingerprints = new Map<string, CachedFingerprint>()

  constructor(deps: Deps, options: { allowPrivilegedDocker: boolean }) {
    this.#deps = deps
    this.#allowPrivileged = options.allowPrivilegedDocker
  }

  /** What to bid for, remembered; or why nothing. Entries are tried in random order. */
  async decide(request: BidRequest, from: Handle): Promise<Result<BidDecision>> {
    this.sweep()
    const early = this.#refuseAll(request, from)
    if (early) return refuse(early)
    const books: Books = {
      free: this.#deps.resources.free(),
      reserved: this.#deps.ports.reserved(),
      probesLeft: MAX_BID_PROBES
    }
    const causes: Refusal[] = []
    const fitting: BidEntry[] = []
    const wanted = request.explain ? 1 + MAX_ALTERNATIVES : 1
    for (const entry of this.#shuffled(request.entries)) {
      if (fitting.length >= wanted) break
      const problems = await this.#problems(entry, books)
      if (problems.length === 0) {
        fitting.push(entry)
        continue
      }
      const text = problems.map(problem => problem.message).join('; ')
      causes.push(
        refusal('BID_NODE', `node '${entry.node_id}': ${text}`, {
          details: { node: entry.node_id },
          causes: problems
        })
      )
    }
    const [entry, ...alternatives] = fitting
    if (entry === undefined) {
      return refuse(refusal('BID_NONE', 'no node of the request can run on this provider', { causes }))
    }
    const declined =
      causes.length > 0
        ? refusal('BID_SOME', 'some nodes of the request cannot run on this provider', { causes })
        : undefined
    return this.#answer(request, { entry, alternatives, declined }, from)
  }

  /** The live bid for an ensemble, made to this asker. */
  find(ensembleId: string, owner: string): RememberedBid | undefined {
    const bid = this.#bids.get(`${ensembleId}/${owner}`)
    return bid && bid.expiresAtMs > this.#deps.clock.nowMs() ? bid : undefined
  }

  /** After a revert the same request may be answered again. */
  forget(ensembleId: string, owner: string): void {
    const prefix = `${ensembleId}/${owner}`
    this.#bids.delete(prefix)
    for (const key of this.#answered.keys()) {
      if (key.startsWith(`${prefix}/`)) this.#answered.delete(key)
    }
  }

  /** Forgets what is over. */
  sweep(): void {
    const now = this.#deps.clock.nowMs()
    for (const [id, bid] of this.#bids) if (bid.expiresAtMs <= now) this.#bids.delete(id)
    for (const [key, untilMs] of this.#answered) if (untilMs <= now) this.#answered.delete(key)
  }

  #refuseAll(request: BidRequest, from: Handle): Refusal | undefined {
    if (!this.#deps.onboarding.status().onboarded) {
      return refusal('BID_NOT_ONBOARDED', 'this machine is not onboarded')
    }
    if (request.excludedPeers.includes(this.#deps.peerId)) {
      return refusal('BID_EXCLUDED', 'the request excludes this provider')
    }
    if (this.#answered.has(answerKey(request, from))) {
      return refusal('BID_ANSWERED', 'this provider has already bid for this request', {
        details: { nonce: request.nonce }
      })
    }
    if (request.entries.length === 0)
      return refusal('BID_EMPTY', 'the request names no node this provider can read')
    return undefined
  }

  #answer(request: BidRequest, decision: BidDecision, from: Handle): Result<BidDecision> {
    const { ensembleId } = request
    // Two requests may have been weighed at the same time; the first to get here is the answer.
    if (this.#answered.has(answerKey(request, from))) {
      return refuse(refusal('BID_ANSWERED', 'this provider has already bid for this request'))
    }
    const expiresAtMs = this.#deps.clock.nowMs() + COMMIT_TTL_MS
    const key = `${ensembleId}/${from.id}`
    this.#bids.delete(key)
    const nodes = new Set([decision.entry, ...decision.alternatives].map(entry => entry.node_id))
    this.#bids.set(key, { ensembleId, nodes, owner: from.id, expiresAtMs })
    this.#answered.set(answerKey(request, from), expiresAtMs)
    trim(this.#bids)
    trim(this.#answered)
    return ok(decision)
  }

  async #problems(entry: BidEntry, books: Books): Promise<Refusal[]> {
    const { resources, ports, location } = this.#deps
    const problems: Refusal[] = []
    if (!satisfiesLocation(location, entry.location)) {
      problems.push(
        refusal('BID_LOCATION', `${formatLocation(location)} does not satisfy the location constraints`)
      )
    }
    problems.push(...(await this.#executorProblems(entry)))
    const comparable = this.#machineProblem(entry)
    if (comparable) problems.push(comparable)
    const fit = resources.fits(entry.resources, books.free)
    if (!fit.ok) problems.push(...(fit.error.causes ?? [fit.error]))
    const fixed = entry.public_ports.static.filter(port => port !== 0)
    const dynamic = entry.public_ports.dynamic + entry.public_ports.static.length - fixed.length
    books.probesLeft -= fixed.length
    const { reserved, probesLeft } = books
    const chosen = await ports.check({ static: fixed, dynamic }, { reserved, probe: probesLeft >= 0 })
    if (!chosen.ok) problems.push(...(chosen.error.causes ?? [chosen.error]))
    return problems
  }

  /** Clock speed and architecture, which the pool does not count. Equal is enough. */
  #machineProblem(entry: BidEntry): Refusal | undefined {
    const onboarded = this.#deps.resources.onboarded()
    if (onboarded === undefined) return undefined
    const { cpu } = entry.resources
    // Only the CPU's nature is judged here; the amounts are judged against what is free.
    const verdict = compareResources(onboarded, {
      cpu: { ...cpu, cores: onboarded.cpu.cores },
      ram: { size: 0 },
      disk: { size: 0 }
    })
    if (verdict === 'None') {
      return refusal(
        'BID_ARCHITECTURE',
        `asked architecture '${cpu.architecture}', this machine is '${onboarded.cpu.architecture ?? 'unknown'}'`
      )
    }
    if (verdict !== 'Worse') return undefined
    return refusal(
      'BID_CLOCK_SPEED',
      `asked ${cpu.clock_speed} Hz per core, this machine has ${onboarded.cpu.clock_speed ?? 0} Hz`
    )
  }

  async #executorProblems(entry: BidEntry): Promise<Refusal[]> {
    const problems: Refusal[] = []
    for (const type of new Set(entry.executors)) {
      const executor = this.#deps.executors.get(type)
      if (executor === undefined) {
        const known = [...this.#deps.executors.keys()].join(', ') || 'none'
        problems.push(
          refusal('BID_EXECUTOR', `executor '${type}' is not on this provider (it has ${known})`, {
            details: { executor: type }
          })
        )
        continue
      }
      const problem = await this.#fingerprint(type, executor)
      if (problem) problems.push(problem)
    }
    if (entry.general_requirements.privilegedDocker && !this.#allowPrivileged) {
      problems.push(refusal('BID_PRIVILEGED', 'privileged docker is not allowed on this provider'))
    }
    return problems
  }

  async #fingerprint(type: string, executor: Executor): Promise<Refusal | undefined> {
    const { clock } = this.#deps
    const cached = this.#fingerprints.get(type)
    if (cached && cached.untilMs > clock.monotonicMs()) return cached.problem
    using limit = deadline(clock, FINGERPRINT_LIMIT_MS, `fingerprint of executor '${type}'`)
    const found = await executor.fingerprint({ signal: limit.signal })
    const reason = found.reason ?? 'it gives no reason'
    const problem = found.available
      ? undefined
      : refusal('BID_EXECUTOR_UNAVAILABLE', `executor '${type}' is not available: ${reason}`, {
          details: { executor: type }
        })
    this.#fingerprints.set(type, { problem, untilMs: clock.monotonicMs() + FINGERPRINT_TTL_MS })
    return problem
  }

  #shuffled(entries: readonly BidEntry[]): BidEntry[] {
    const order = [...entries]
    for (let last = order.length - 1; last > 0; last--) {
      const other = this.#deps.random.below(last + 1)
      const [a, b] = [order[last], order[other]]
      if (a && b) [order[last], order[other]] = [b, a]
    }
    return order
  }
}

function answerKey(request: BidRequest, from: Handle): string {
  return `${request.ensembleId}/${from.id}/${request.nonce}`
}

function trim(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= MAX_REMEMBERED_BIDS) return
    map.delete(key)
  }
}
