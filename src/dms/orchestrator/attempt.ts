/**
 * From an ensemble to running allocations: asks for bids, searches an assignment, commits, provisions, and
 * starts again with what was learnt until it succeeds, the answer is known to be no, or time runs out.
 */

import type { ChildActor } from '../../actor/index.ts'
import { handleToWire } from '../../actor/index.ts'
import type { AbortOptions, PeerId, Refusal, Result } from '../../types/index.ts'
import { ok, refusal, refuse } from '../../utils/index.ts'
import { BidCollector, type BidCollectorDeps, type BidRoundResult } from './bid-collector.ts'
import { Committer } from './committer.ts'
import { MAX_ROUND_PAUSE_MS, MIN_ROUND_PAUSE_MS } from './constants.ts'
import { SuspendedError } from './errors.ts'
import type { Journal } from './journal.ts'
import { buildManifest, type Manifest } from './manifest.ts'
import { Provisioner, type ProvisionerDeps } from './provisioner.ts'
import { type Assignment, findAssignment } from './search.ts'

export interface AttemptDeps extends BidCollectorDeps {
  actor: ChildActor
  journal: Journal
  addressOf: ProvisionerDeps['addressOf']
  /** Lets allocations report to the orchestrator; called before they are started. */
  onAllocated: (manifest: Manifest) => Promise<void>
}

/** What earlier rounds taught. */
interface Experience {
  /** Peers whose commit or start failed; not asked again. */
  readonly failed: Set<PeerId>
  readonly reasons: Refusal[]
}

/** Deploys one ensemble. One instance per deployment; `run` is called once per daemon life. */
export class Attempt {
  readonly #deps: AttemptDeps
  readonly #collector: BidCollector
  readonly #committer: Committer
  readonly #provisioner: Provisioner
  /** The latest reason for not being done, for the error when time runs out. */
  #lastReason: Refusal | undefined

  constructor(deps: AttemptDeps) {
    this.#deps = deps
    this.#collector = new BidCollector(deps)
    this.#committer = new Committer({
      actor: deps.actor,
      onStep: ({ phase, node, peer }) => deps.journal.event(phase, { node, peer })
    })
    this.#provisioner = new Provisioner({ actor: deps.actor, addressOf: deps.addressOf })
  }

  get lastReason(): Refusal | undefined {
    return this.#lastReason
  }

  /** Gives back whatever the stored manifest may hold at providers. */
  async revert(): Promise<void> {
    const manifest = this.#deps.journal.manifest
    if (manifest) await this.#committer.revert(manifest)
  }

  /** Deploys until running; a refusal says why it will not work. Rejects with the signal's reason. */
  async run({ signal }: AbortOptions): Promise<Result<void>> {
    const experience: Experience = { failed: new Set(), reasons: [] }
    for (let pauseMs = MIN_ROUND_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_ROUND_PAUSE_MS)) {
      const done = await this.#round(experience, { signal })
      if (done.ok || done.error.final) return done.ok ? ok(undefined) : refuse(done.error.refusal)
      this.#lastReason = done.error.refusal
      await this.#deps.clock.sleep(done.error.retryAtOnce ? 0 : pauseMs, { signal })
    }
  }

  /** Repeats the last step of a deployment that was cut off while provisioning. */
  async resumeProvisioning({ signal }: AbortOptions): Promise<Result<void>> {
    const { journal } = this.#deps
    const manifest = journal.manifest
    if (manifest === undefined)
      return refuse(refusal('DEPLOYMENT_MANIFEST', 'the stored deployment has no manifest'))
    return await this.#provision(manifest, { failed: new Set(), reasons: [] }, { signal }).then(result =>
      result.ok ? ok(undefined) : refuse(result.error.refusal)
    )
  }

  async #round(experience: Experience, options: AbortOptions): Promise<Result<void, RoundFailure>> {
    const { journal, clock, random } = this.#deps
    journal.transition('Preparing', { manifest: null })
    const round = await this.#collector.collect(
      this.#deps.actor,
      {
        ensembleId: journal.id,
        ensemble: journal.ensemble.v1,
        nonce: clock.nowMs(),
        excludedPeers: [...experience.failed]
      },
      options
    )
    this.#tellRound(round)
    const assignment = findAssignment(round.bids, random)
    if (!assignment.ok) return { ok: false, error: judgeRound(round, assignment.error, experience) }
    return await this.#commit(assignment.value, experience, options)
  }

  async #commit(
    assignment: Assignment,
    experience: Experience,
    options: AbortOptions
  ): Promise<Result<void, RoundFailure>> {
    const { journal, actor } = this.#deps
    const manifest = buildManifest(journal.id, journal.ensemble.v1, actor.handle, assignment)
    journal.transition('Committing', { manifest })
    journal.event('candidate', {
      assignment: Object.fromEntries([...assignment].map(([node, bid]) => [node, bid.peer]))
    })
    const committed = await this.#committer.run(journal.ensemble.v1, manifest, options)
    if (!committed.ok) return learn(experience, committed.error)
    for (const [key, entry] of Object.entries(manifest.allocations)) {
      entry.handle = handleToWire(committed.value.handles.get(key) ?? actor.handle)
      entry.ports = { ...committed.value.ports.get(key) }
    }
    journal.transition('Provisioning', { manifest })
    return await this.#provision(manifest, experience, options)
  }

  async #provision(
    manifest: Manifest,
    experience: Experience,
    options: AbortOptions
  ): Promise<Result<void, RoundFailure>> {
    await this.#deps.onAllocated(manifest)
    let provisioned: Awaited<ReturnType<Provisioner['run']>>
    try {
      provisioned = await this.#provisioner.run(this.#deps.journal.ensemble.v1, manifest, options)
    } catch (error) {
      if (!(error instanceof SuspendedError)) await this.#committer.revert(manifest)
      throw error
    }
    if (provisioned.ok) return ok(undefined)
    await this.#committer.revert(manifest)
    return learn(experience, provisioned.error)
  }

  #tellRound(round: BidRoundResult): void {
    const { journal } = this.#deps
    for (const [node, bids] of round.bids) {
      journal.event('bids', {
        node,
        count: bids.length,
        answered: round.answered,
        subscribers: round.asked,
        window: round.reason
      })
    }
    for (const decline of round.declines)
      journal.event('declined', { peer: decline.peer, refusal: decline.refusal })
    for (const { node, refusal } of round.unreachable) journal.event('declined', { node, peer: '', refusal })
  }
}

interface RoundFailure {
  readonly refusal: Refusal
  /** Asking again cannot help. */
  readonly final: boolean
  /** Something was learnt; the next round need not wait. */
  readonly retryAtOnce: boolean
}

function learn(
  experience: Experience,
  failure: { refusal: Refusal; peers: readonly PeerId[] }
): Result<void, RoundFailure> {
  for (const peer of failure.peers) experience.failed.add(peer)
  experience.reasons.push(failure.refusal)
  return {
    ok: false,
    error: { refusal: failure.refusal, final: failure.peers.length === 0, retryAtOnce: true }
  }
}

/**
 * Is the "no" final? When everyone who was asked answered, and either each answer holds until its owner changes
 * something, or the peers that could have done it have already failed.
 */
function judgeRound(round: BidRoundResult, unplaced: Refusal, experience: Experience): RoundFailure {
  const everyoneAnswered = round.asked > 0 && round.answered >= round.asked
  const permanent =
    round.unreachable.length === 0 &&
    round.declines.every(decline => decline.permanent || experience.failed.has(decline.peer))
  return {
    refusal: explain(round, unplaced, experience),
    final: everyoneAnswered && permanent,
    retryAtOnce: false
  }
}

/** For each node without a bid, what each provider lacked; then what went wrong in earlier rounds. */
function explain(round: BidRoundResult, unplaced: Refusal, experience: Experience): Refusal {
  const causes = (unplaced.causes ?? []).map(cause => {
    const node = cause.details?.['node']
    const declined = round.declines
      .filter(decline => !experience.failed.has(decline.peer))
      .map(decline => declineCause(decline.peer, decline.refusal, node))
    const unreachable = round.unreachable
      .filter(problem => problem.node === node)
      .map(problem => problem.refusal)
    const known = [...declined, ...unreachable]
    const silent = round.asked - round.answered
    if (silent > 0)
      known.push(
        refusal(
          'PROVIDERS_SILENT',
          `${silent} of ${round.asked} providers that listen did not answer; they may not grant you '/dms/deployment'`
        )
      )
    if (round.asked === 0)
      known.push(refusal('PROVIDERS_NONE', 'no provider is known yet; check the peers of this node'))
    return { ...cause, causes: known }
  })
  return refusal(unplaced.code, unplaced.message, { causes: [...causes, ...experience.reasons] })
}

/** The part of a provider's reasons that concerns `node`, or all of them when it does not say. */
function declineCause(peer: PeerId, declined: Refusal, node: unknown): Refusal {
  const about = (declined.causes ?? []).filter(cause => cause.details?.['node'] === node)
  const causes = about.length > 0 ? about.flatMap(cause => cause.causes ?? [cause]) : [declined]
  return refusal('PROVIDER_DECLINED', `provider '${peer}' cannot take it`, { details: { peer }, causes })
}
