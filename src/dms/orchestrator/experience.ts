/** What the rounds of one deployment taught: whom not to choose again, whether to go on, and what to tell when not. */

import type { PeerId, Refusal } from '../../types/index.ts'
import { refusal } from '../../utils/index.ts'
import type { BidRoundResult, RoundDecline } from './bid-collector.ts'
import { clipRefusal } from './bounds.ts'
import { MAX_REASONS, MAX_SILENCES_FORGIVEN } from './constants.ts'

export interface RoundFailure {
  readonly refusal: Refusal
  /** Asking again cannot help. */
  readonly final: boolean
  /** Something was learnt; the next round need not wait. */
  readonly retryAtOnce: boolean
}

export class Experience {
  readonly #proofFault: () => Refusal | undefined
  readonly #failed = new Set<PeerId>()
  /** How often a peer was chosen and then did not answer. */
  readonly #silences = new Map<PeerId, number>()
  readonly #reasons: Refusal[] = []

  constructor(deps: { readonly proofFault: () => Refusal | undefined }) {
    this.#proofFault = deps.proofFault
  }

  /** Peers whose commit or start failed. */
  get failed(): ReadonlySet<PeerId> {
    return this.#failed
  }

  /** A chosen peer did not keep its bid. */
  learn(failure: { refusal: Refusal; peers: readonly PeerId[]; silent: readonly PeerId[] }): RoundFailure {
    const reason = clipRefusal(failure.refusal)
    for (const peer of failure.peers) {
      this.#failed.add(peer)
      const isSilent = failure.silent.includes(peer)
      this.#silences.set(peer, isSilent ? (this.#silences.get(peer) ?? 0) + 1 : Number.POSITIVE_INFINITY)
    }
    this.#reasons.push(reason)
    if (this.#reasons.length > MAX_REASONS) this.#reasons.shift()
    return { refusal: reason, final: failure.peers.length === 0, retryAtOnce: true }
  }

  /**
   * No peer could be found for some node. Is that final? When everyone who was asked answered, and each answer holds
   * until its owner changes something or comes from a peer that has already said no. Peers that were merely silent
   * are let in again, since nobody else is left. Final as well: everyone is silent, and this node holds nothing to show
   * that it may ask.
   */
  judge(round: BidRoundResult, unplaced: Refusal, isSomethingHeld: boolean): RoundFailure {
    const everyoneAnswered = round.asked > 0 && round.answered >= round.asked
    const permanent =
      round.unreachable.length === 0 &&
      round.declines.every(decline => decline.permanent || this.#failed.has(decline.peer))
    const isShunned = round.asked > 0 && round.answered === 0
    const fault = isShunned ? this.#proofFault() : undefined
    const explained = this.#explain(round, unplaced, fault)
    const isForgiving = this.#forgive()
    if (fault !== undefined && !isSomethingHeld)
      return { refusal: explained, final: true, retryAtOnce: false }
    return {
      refusal: explained,
      final: everyoneAnswered && permanent && !round.isPartial && !isSomethingHeld && !isForgiving,
      retryAtOnce: false
    }
  }

  #forgive(): boolean {
    const forgiven = [...this.#failed].filter(
      peer => (this.#silences.get(peer) ?? 0) <= MAX_SILENCES_FORGIVEN
    )
    for (const peer of forgiven) this.#failed.delete(peer)
    return forgiven.length > 0
  }

  /** For each node without a bid, what each provider lacked; then what went wrong in earlier rounds. */
  #explain(round: BidRoundResult, unplaced: Refusal, fault: Refusal | undefined): Refusal {
    const causes = (unplaced.causes ?? []).map(cause => {
      const node = cause.details?.['node']
      const declined = round.declines
        .filter(decline => !this.#failed.has(decline.peer))
        .flatMap(decline => declineCause(decline, node))
      const unreachable = round.unreachable
        .filter(problem => problem.node === node)
        .map(problem => problem.refusal)
      return { ...cause, causes: [...declined, ...unreachable, ...silence(round, fault)] }
    })
    return refusal(unplaced.code, unplaced.message, { causes: [...causes, ...this.#reasons] })
  }
}

function silence(round: BidRoundResult, fault: Refusal | undefined): Refusal[] {
  if (round.asked === 0)
    return [refusal('PROVIDERS_NONE', 'no provider is known yet; check the peers of this node')]
  const silent = round.asked - round.answered
  if (silent <= 0) return []
  return [
    refusal(
      'PROVIDERS_SILENT',
      `${silent} of ${round.asked} providers that listen did not answer; they may not grant you '/dms/deployment'`,
      fault && { causes: [fault] }
    )
  ]
}

/** The part of a provider's reasons that concerns `node`; all of them when it bid for nothing and does not say. */
function declineCause({ peer, refusal: declined, isTotal }: RoundDecline, node: unknown): Refusal[] {
  const about = (declined.causes ?? []).filter(cause => cause.details?.['node'] === node)
  if (about.length === 0 && !isTotal) return []
  const causes = about.length > 0 ? about.flatMap(cause => cause.causes ?? [cause]) : [declined]
  return [refusal('PROVIDER_DECLINED', `provider '${peer}' cannot take it`, { details: { peer }, causes })]
}
