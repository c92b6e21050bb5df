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
import { BID_WINDOW_MS, MAX_BIDS_PER_NODE, MAX_DECLINES } from './constants.ts'
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
  /** Peers that must not be chosen: those whose commit failed, and those that still hold something of it. */
  readonly excludedPeers: readonly PeerId[]
}

/** A provider's reasons, for all of the request or for what it does not bid for. */
export interface RoundDecline extends Decline {
  readonly isTotal: boolean
}

/** What a round brought. */
export interface BidRoundResult {
  /** An entry for every node, possibly empty. */
  readonly bids: ReadonlyMap<string, readonly Bid[]>
  readonly declines: readonly RoundDecline[]
  /** Pinned peers that could not be asked. */
  readonly unreachable: readonly { readonly node: string; readonly refusal: Refusal }[]
  readonly asked: number
  readonly answered: number
  /** Some answer says nothing about the nodes it does not bid for: another round may bring bids for them. */
  readonly isPartial: boolean
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
  readonly #declines: RoundDecline[] = []
  readonly #unreachable: { node: string; refusal: Refusal }[] = []
  readonly #asked = new Set<PeerId>()
  readonly #answered = new Set<PeerId>()
  readonly #startMs: number
  readonly #closed = Promise.withResolvers<CloseReason>()
  readonly #ending = new AbortController()
  /** What the ensemble excludes and what this round does. */
  readonly #excluded: ReadonlySet<string>
  /** Nodes by the peer they are pinned to. */
  readonly #pinned: ReadonlyMap<string, ReadonlySet<string>>
  /** Bids are only added, so once every node can be placed it stays so. */
  #isPlaceable = false
  /** Some provider named one node and may be willing to take others. */
  #isPartial = false
  #lastAnswerMs: number | undefined
  #timer: Timer | undefined

  constructor(deps: BidCollectorDeps, actor: Actor, round: BidRequestRound) {
    this.#deps = deps
    this.#actor = actor
    this.#round = round
    this.#startMs = deps.clock.monotonicMs()
    this.#bids = new Map(Object.keys(round.ensemble.nodes).map(node => [node, []]))
    this.#excluded = new Set([...(round.ensemble.exclude_peers ?? []), ...round.excludedPeers])
    this.#pinned = pinnedNodes(round.ensemble)
  }

  async execute({ signal }: AbortOptions): Promise<BidRoundResult> {
    signal?.throwIfAborted()
    const onAbort = (): void => this.#closed.reject(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    const asking = this.#ask().map(request => this.#guard(request))
    try {
      this.#judge()
      const reason = await this.#closed.promise
      return {
        bids: this.#bids,
        declines: this.#declines,
        unreachable: this.#unreachable,
        asked: this.#asked.size,
        answered: this.#answeredCount(),
        isPartial: this.#isPartial,
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

  /** A request that fails is a fault of this round; nothing it throws may stay without a reader. */
  async #guard(request: Promise<void>): Promise<void> {
    try {
      await request
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#closed.reject(error)
    }
  }

  async #askPinned(node: string, peerText: string): Promise<void> {
    const peer = parsePeerId(peerText)
    this.#asked.add(peer)
    const payload = this.#payload([node], this.#excluded)
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
    for (const peer of this.#deps.network.subscribers(BID_TOPIC)) {
      this.#asked.add(peer)
      // Its answer is known; there is no need to wait for it.
      if (this.#excluded.has(peer)) this.#answered.add(peer)
    }
    // A provider answers once per request: a pinned peer must answer the one that was sent to it alone.
    const payload = this.#payload(nodes, new Set([...this.#excluded, ...this.#pinned.keys()]))
    const replies = this.#actor.broadcast(BID_TOPIC, BEHAVIORS.bidRequest, payload, {
      timeoutMs: BID_WINDOW_MS,
      replyTo: BEHAVIORS.bid,
      signal: this.#ending.signal
    })
    for await (const reply of replies) {
      // Excluded from the broadcast; whatever it answers to that is not its bid.
      if (!this.#pinned.has(reply.from.address.host)) this.#take(reply.payload, reply.from)
    }
  }

  #payload(nodes: readonly string[], excluded: ReadonlySet<string>): Record<string, unknown> {
    const { ensembleId, ensemble, nonce } = this.#round
    return buildBidRequest(ensembleId, ensemble, nodes, { nonce, excludedPeers: [...excluded] })
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
    const { peer, bids, decline, isComplete } = answer.value
    if (this.#answered.has(peer)) return
    this.#answered.add(peer)
    this.#lastAnswerMs = this.#elapsed()
    if (!isComplete) this.#isPartial = true
    if (decline && this.#declines.length < MAX_DECLINES) {
      this.#declines.push({ ...decline, isTotal: bids.length === 0 })
    }
    for (const bid of bids) this.#keep(bid)
    this.#judge()
  }

  /** Keeps a bid that may be used: a known node with room, not pinned elsewhere, in an accepted place, not excluded. */
  #keep(bid: Bid): void {
    const node = this.#round.ensemble.nodes[bid.node]
    const kept = this.#bids.get(bid.node)
    if (node === undefined || kept === undefined || kept.length >= MAX_BIDS_PER_NODE) return
    if (node.peer !== undefined && node.peer !== bid.peer) return
    if (node.peer === undefined && this.#pinned.has(bid.peer)) return
    if (this.#excluded.has(bid.peer)) return
    // One that offers the same node many times must not take the places of others.
    if (kept.some(other => other.peer === bid.peer)) return
    if (node.peer === undefined && !locationAccepted(node.location, bid.location)) return
    kept.push(bid)
  }

  #judge(): void {
    this.#timer?.cancel()
    const counts = [...this.#bids.values()].map(bids => bids.length)
    this.#isPlaceable ||= counts.every(count => count > 0) && findAssignment(this.#bids, this.#deps.random).ok
    const verdict = judgeWindow({
      elapsedMs: this.#elapsed(),
      asked: this.#asked.size,
      answered: this.#answeredCount(),
      lastAnswerMs: this.#lastAnswerMs,
      fewestBids: Math.min(...counts),
      placeable: this.#isPlaceable
    })
    if (verdict.closed) this.#closed.resolve(verdict.reason)
    else this.#timer = this.#deps.clock.setTimer(verdict.checkInMs, () => this.#judge())
  }

  /** Of those that were asked; an answer of somebody else says nothing about them. */
  #answeredCount(): number {
    return [...this.#asked].filter(peer => this.#answered.has(peer)).length
  }

  #elapsed(): number {
    return this.#deps.clock.monotonicMs() - this.#startMs
  }
}

function pinnedNodes(ensemble: EnsembleV1): Map<string, Set<string>> {
  const pinned = new Map<string, Set<string>>()
  for (const [name, { peer }] of Object.entries(ensemble.nodes)) {
    if (peer === undefined) continue
    pinned.set(peer, (pinned.get(peer) ?? new Set()).add(name))
  }
  return pinned
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
