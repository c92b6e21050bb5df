/**
 * One round of asking for bids: pinned nodes are asked directly, the others by one broadcast; answers are
 * verified, kept per node within bounds, and the window closes as early as it can (`bid-window.ts`).
 */

import type { Actor } from '../../actor/index.ts'
import { parsePeerId } from '../../lib/crypto/index.ts'
import { rootHandleOfPeer } from '../../lib/did/index.ts'
import type { Network } from '../../network/index.ts'
import type {
  AbortOptions,
  Clock,
  Handle,
  Logger,
  PeerId,
  RandomSource,
  Refusal,
  Timer
} from '../../types/index.ts'
import type { EnsembleV1, LocationConstraints, LocationSpec } from '../ensemble/index.ts'
import { BEHAVIORS, BID_TOPIC } from '../jobs/index.ts'
import { type Bid, type Decline, readBidAnswer } from './bid.ts'
import { buildBidRequest } from './bid-request.ts'
import { type CloseReason, judgeWindow } from './bid-window.ts'
import { BID_WINDOW_MS, MAX_BIDS_PER_NODE } from './constants.ts'
import { findAssignment } from './search.ts'

export interface BidCollectorDeps {
  network: Pick<Network, 'subscribers' | 'peerId'>
  clock: Clock
  random: RandomSource
  log: Logger
}

export interface BidRequestRound {
  readonly ensembleId: string
  readonly ensemble: EnsembleV1
  /** Never repeats for one ensemble. */
  readonly nonce: number
  /** Peers that must not be asked again, by node: those whose commit failed. */
  readonly excludedPeers: readonly PeerId[]
}

/** What a round brought. */
export interface BidRoundResult {
  /** An entry for every node, possibly empty. */
  readonly bids: ReadonlyMap<string, readonly Bid[]>
  readonly declines: readonly Decline[]
  /** Pinned peers that could not be asked. */
  readonly unreachable: readonly { readonly node: string; readonly refusal: Refusal }[]
  readonly asked: number
  readonly answered: number
  readonly reason: CloseReason
}

export class BidCollector {
  readonly #deps: BidCollectorDeps

  constructor(deps: BidCollectorDeps) {
    this.#deps = deps
  }

  /** Runs one round; at most `BID_WINDOW_MS`. Rejects only with the signal's reason. */
  async collect(actor: Actor, round: BidRequestRound, options: AbortOptions = {}): Promise<BidRoundResult> {
    const run = new Round(this.#deps, actor, round)
    return await run.execute(options)
  }
}

/** State of one round. */
class Round {
  readonly #deps: BidCollectorDeps
  readonly #actor: Actor
  readonly #round: BidRequestRound
  readonly #bids: Map<string, Bid[]>
  readonly #declines: Decline[] = []
  readonly #unreachable: { node: string; refusal: Refusal }[] = []
  readonly #asked = new Set<PeerId>()
  readonly #answered = new Set<PeerId>()
  readonly #startMs: number
  readonly #closed = Promise.withResolvers<CloseReason>()
  readonly #ending = new AbortController()
  #lastAnswerMs: number | undefined
  #timer: Timer | undefined

  constructor(deps: BidCollectorDeps, actor: Actor, round: BidRequestRound) {
    this.#deps = deps
    this.#actor = actor
    this.#round = round
    this.#startMs = deps.clock.monotonicMs()
    this.#bids = new Map(Object.keys(round.ensemble.nodes).map(node => [node, []]))
  }

  async execute({ signal }: AbortOptions): Promise<BidRoundResult> {
    const onAbort = (): void => this.#closed.reject(signal?.reason)
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    const asking = this.#ask()
    try {
      this.#judge()
      const reason = await this.#closed.promise
      return {
        bids: this.#bids,
        declines: this.#declines,
        unreachable: this.#unreachable,
        asked: this.#asked.size,
        answered: this.#answered.size,
        reason
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
      this.#timer?.cancel()
      this.#ending.abort(new Error('the bid window is closed'))
      await Promise.allSettled(asking)
    }
  }

  /** Starts all requests; the promises settle when the window closes. */
  #ask(): Promise<void>[] {
    const nodes = Object.entries(this.#round.ensemble.nodes)
    const open = nodes.filter(([, node]) => node.peer === undefined).map(([name]) => name)
    const requests = nodes.flatMap(([name, node]) =>
      node.peer === undefined ? [] : [this.#askPinned(name, node.peer)]
    )
    if (open.length > 0) requests.push(this.#askEveryone(open))
    return requests
  }

  async #askPinned(node: string, peerText: string): Promise<void> {
    const peer = parsePeerId(peerText)
    this.#asked.add(peer)
    const payload = this.#payload([node])
    const reply = await this.#actor.invoke(rootHandleOfPeer(peer), BEHAVIORS.bidRequest, payload, {
      timeoutMs: BID_WINDOW_MS,
      signal: this.#ending.signal
    })
    if (this.#ending.signal.aborted) return
    if (reply.ok) this.#take(reply.value.payload, reply.value.from)
    else {
      this.#unreachable.push({ node, refusal: reply.error })
      this.#answered.add(peer)
      this.#judge()
    }
  }

  async #askEveryone(nodes: readonly string[]): Promise<void> {
    for (const peer of this.#deps.network.subscribers(BID_TOPIC)) this.#asked.add(peer)
    const replies = this.#actor.broadcast(BID_TOPIC, BEHAVIORS.bidRequest, this.#payload(nodes), {
      timeoutMs: BID_WINDOW_MS,
      replyTo: BEHAVIORS.bid,
      signal: this.#ending.signal
    })
    try {
      for await (const reply of replies) this.#take(reply.payload, reply.from)
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#closed.reject(error)
    }
  }

  #payload(nodes: readonly string[]): Record<string, unknown> {
    const { ensembleId, ensemble, nonce, excludedPeers } = this.#round
    return buildBidRequest(ensembleId, ensemble, nodes, {
      nonce,
      excludedPeers: [...(ensemble.exclude_peers ?? []), ...excludedPeers]
    })
  }

  #take(payload: unknown, from: Handle): void {
    const answer = readBidAnswer(payload, from, this.#round.ensembleId)
    if (!answer.ok) {
      this.#deps.log.debug('bid dropped', {
        peer: from.address.host,
        code: answer.error.code,
        reason: answer.error.message
      })
      return
    }
    const peer = answer.value.kind === 'bid' ? answer.value.bid.peer : answer.value.decline.peer
    if (this.#answered.has(peer)) return
    this.#answered.add(peer)
    this.#lastAnswerMs = this.#elapsed()
    if (answer.value.kind === 'decline') this.#declines.push(answer.value.decline)
    else this.#keep(answer.value.bid)
    this.#judge()
  }

  /** Keeps a bid that may be used: a known node with room, not pinned elsewhere, in an accepted place, not excluded. */
  #keep(bid: Bid): void {
    const node = this.#round.ensemble.nodes[bid.node]
    const kept = this.#bids.get(bid.node)
    if (node === undefined || kept === undefined || kept.length >= MAX_BIDS_PER_NODE) return
    if (node.peer !== undefined && node.peer !== bid.peer) return
    if (this.#round.excludedPeers.includes(bid.peer)) return
    if (node.peer === undefined && !locationAccepted(node.location, bid.location)) return
    kept.push(bid)
  }

  #judge(): void {
    this.#timer?.cancel()
    const counts = [...this.#bids.values()].map(bids => bids.length)
    const verdict = judgeWindow({
      elapsedMs: this.#elapsed(),
      asked: this.#asked.size,
      answered: [...this.#asked].filter(peer => this.#answered.has(peer)).length,
      lastAnswerMs: this.#lastAnswerMs,
      fewestBids: Math.min(...counts),
      placeable: counts.every(count => count > 0) && findAssignment(this.#bids, this.#deps.random).ok
    })
    if (verdict.closed) this.#closed.resolve(verdict.reason)
    else this.#timer = this.#deps.clock.setTimer(verdict.checkInMs, () => this.#judge())
  }

  #elapsed(): number {
    return this.#deps.clock.monotonicMs() - this.#startMs
  }
}

/** Location rule of later releases (deployment §1.4.8): with `accept` one entry must match, else no `reject` may. */
export function locationAccepted(
  constraints: LocationConstraints | undefined,
  location: LocationSpec
): boolean {
  const accept = constraints?.accept ?? []
  if (accept.length > 0) return accept.some(wanted => locationMatches(wanted, location))
  return !(constraints?.reject ?? []).some(unwanted => locationMatches(unwanted, location))
}

function locationMatches(wanted: LocationSpec, actual: LocationSpec): boolean {
  const members = ['continent', 'country', 'city', 'asn', 'isp'] as const
  return members.every(
    member => wanted[member] === undefined || wanted[member] === '' || wanted[member] === actual[member]
  )
}
