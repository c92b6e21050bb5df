/**
 * From an ensemble to running allocations: asks for bids, searches an assignment, commits, provisions, and
 * starts again with what was learnt until it succeeds, the answer is known to be no, or time runs out.
 */

import type { ChildActor } from '../../actor/index.ts'
import { handleToWire } from '../../actor/index.ts'
import type { AbortOptions, Refusal, Result } from '../../types/index.ts'
import { ok, refuse } from '../../utils/index.ts'
import { BidCollector, type BidCollectorDeps, type BidRoundResult } from './bid-collector.ts'
import { Committer } from './committer.ts'
import { MAX_ROUND_PAUSE_MS, MIN_ROUND_PAUSE_MS } from './constants.ts'
import { SuspendedError } from './errors.ts'
import { Experience, type RoundFailure } from './experience.ts'
import type { Journal } from './journal.ts'
import { buildManifest, type Manifest } from './manifest.ts'
import { Provisioner, type ProvisionerDeps } from './provisioner.ts'
import { claimsOf, type Releaser } from './releaser.ts'
import { type Assignment, findAssignment } from './search.ts'

export interface AttemptDeps extends BidCollectorDeps {
  actor: ChildActor
  journal: Journal
  releaser: Releaser
  addressOf: ProvisionerDeps['addressOf']
  /** Why this node cannot prove that it may ask for bids; `undefined` when it can. */
  proofFault: () => Refusal | undefined
  /** Lets allocations report to the orchestrator; called before they are started. */
  onAllocated: (manifest: Manifest) => Promise<void>
}

/** Deploys one ensemble. One instance per deployment; `run` is called once per daemon life. */
export class Attempt {
  readonly #deps: AttemptDeps
  readonly #collector: BidCollector
  readonly #committer: Committer
  readonly #provisioner: Provisioner
  readonly #experience: Experience
  #lastNonce = 0
  /** The latest reason for not being done, for the error when time runs out. */
  #lastReason: Refusal | undefined

  constructor(deps: AttemptDeps) {
    this.#deps = deps
    this.#experience = new Experience(deps)
    this.#collector = new BidCollector(deps)
    this.#committer = new Committer({
      actor: deps.actor,
      onStep: ({ phase, node, peer }) => deps.journal.event(phase, { node, peer }),
      release: (manifest, nodes) => this.#release(manifest, nodes)
    })
    this.#provisioner = new Provisioner({ actor: deps.actor, addressOf: deps.addressOf })
  }

  get lastReason(): Refusal | undefined {
    return this.#lastReason
  }

  /** Gives back whatever the stored manifest may hold at providers. */
  async revert(): Promise<void> {
    const { manifest } = this.#deps.journal
    if (manifest) await this.#release(manifest)
  }

  /** Deploys until running; a refusal says why it will not work. Rejects with the signal's reason. */
  async run({ signal }: AbortOptions): Promise<Result<void>> {
    for (let pauseMs = MIN_ROUND_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_ROUND_PAUSE_MS)) {
      const done = await this.#round({ signal })
      if (done.ok || done.error.final) return done.ok ? ok(undefined) : refuse(done.error.refusal)
      this.#lastReason = done.error.refusal
      await this.#deps.clock.sleep(done.error.retryAtOnce ? 0 : pauseMs, { signal })
    }
  }

  /** Repeats the last step of a deployment that was cut off while provisioning; when that fails, begins anew (deployment §2.18). */
  async resumeProvisioning(options: AbortOptions): Promise<Result<void>> {
    const { manifest } = this.#deps.journal
    if (manifest !== undefined) {
      const provisioned = await this.#provision(manifest, options)
      if (provisioned.ok) return ok(undefined)
      this.#lastReason = provisioned.error.refusal
    }
    return await this.run(options)
  }

  async #round(options: AbortOptions): Promise<Result<void, RoundFailure>> {
    const { journal, releaser, random } = this.#deps
    journal.transition('Preparing', { manifest: null })
    const held = releaser.openPeers
    const round = await this.#collector.collect(
      this.#deps.actor,
      {
        ensembleId: journal.id,
        ensemble: journal.ensemble.v1,
        nonce: this.#nextNonce(),
        excludedPeers: [...this.#experience.failed, ...held]
      },
      options
    )
    this.#tellRound(round)
    const assignment = findAssignment(round.bids, random)
    if (!assignment.ok)
      return { ok: false, error: this.#experience.judge(round, assignment.error, held.length > 0) }
    return await this.#commit(assignment.value, options)
  }

  /** Rises also when the clock stands still or goes back: providers answer a nonce once (deployment §3.1). */
  #nextNonce(): number {
    this.#lastNonce = Math.max(this.#lastNonce + 1, this.#deps.clock.nowMs())
    return this.#lastNonce
  }

  async #commit(assignment: Assignment, options: AbortOptions): Promise<Result<void, RoundFailure>> {
    const { journal, actor } = this.#deps
    const manifest = buildManifest(journal.id, journal.ensemble.v1, actor.handle, assignment)
    journal.transition('Committing', { manifest })
    journal.event('candidate', {
      assignment: Object.fromEntries([...assignment].map(([node, bid]) => [node, bid.peer]))
    })
    const committed = await this.#committer.run(journal.ensemble.v1, manifest, options)
    if (!committed.ok) return { ok: false, error: this.#experience.learn(committed.error) }
    for (const [key, entry] of Object.entries(manifest.allocations)) {
      const handle = committed.value.handles.get(key)
      if (handle !== undefined) entry.handle = handleToWire(handle)
      entry.ports = { ...committed.value.ports.get(key) }
    }
    journal.transition('Provisioning', { manifest })
    return await this.#provision(manifest, options)
  }

  async #provision(manifest: Manifest, options: AbortOptions): Promise<Result<void, RoundFailure>> {
    try {
      await this.#deps.onAllocated(manifest)
      const provisioned = await this.#provisioner.run(this.#deps.journal.ensemble.v1, manifest, options)
      if (provisioned.ok) return ok(undefined)
      await this.#release(manifest)
      return { ok: false, error: this.#experience.learn(provisioned.error) }
    } catch (error) {
      if (!(error instanceof SuspendedError)) await this.#release(manifest)
      throw error
    }
  }

  async #release(manifest: Manifest, nodes?: ReadonlySet<string>): Promise<void> {
    await this.#deps.releaser.release(claimsOf(manifest, this.#deps.clock.nowMs(), nodes))
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
    for (const decline of round.declines.filter(({ isTotal }) => isTotal))
      journal.event('declined', { peer: decline.peer, refusal: decline.refusal })
    for (const { node, refusal } of round.unreachable) journal.event('declined', { node, peer: '', refusal })
  }
}
