/** Everything a node does about revocations, put together: keeping, handing on, asking, and knowing how old it is. */

import type { Actor } from '../../actor/index.ts'
import { exactJson } from '../../actor/index.ts'
import type { RevocationRepository } from '../../db/index.ts'
import type { CapabilityContext, Token } from '../../lib/ucan/index.ts'
import type { Network } from '../../network/index.ts'
import type { Clock, Logger, RandomSource, Timer } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import { REVOCATION_TOPIC, REVOKE_BEHAVIOR, REVOKE_REPLY, ROUND_MS } from './constants.ts'
import { type LackingRequest, offerTexts, type Page, pageOf } from './exchange.ts'
import { GrantBasis } from './grant-basis.ts'
import { Knowledge } from './knowledge.ts'
import { RevocationRegistry } from './registry.ts'
import { RevocationSync } from './sync.ts'
import type { AnchorKeeper, KnowledgeStatus, Offer } from './types.ts'

/** Collaborators of the service. They belong to the caller. */
export interface RevocationServiceDeps {
  actor: Pick<Actor, 'invoke' | 'broadcast'>
  network: Pick<Network, 'peers' | 'isConnected' | 'onEvent' | 'subscribers'>
  context: Pick<CapabilityContext, 'owner' | 'anchors' | 'lookUp' | 'lookupsFor'>
  /** Require anchors that come and go with deployments. */
  passing: () => readonly Token[]
  keeper: AnchorKeeper
  records: RevocationRepository
  clock: Clock
  random: RandomSource
  log: Logger
}

/** Whom a broadcast reached. */
export interface BroadcastReport {
  /** Peers known to listen on the topic. */
  readonly listeners: number
  /** Nodes that answered that they took it, or had it already. */
  readonly confirmed: number
  /** What the first of those said that would not take it. */
  readonly refused?: string | undefined
}

/** The revocations of a node. Started after its actor, stopped before it. */
export class Revocations {
  readonly #deps: RevocationServiceDeps
  readonly registry: RevocationRegistry
  readonly basis: GrantBasis
  readonly #knowledge: Knowledge
  readonly #sync: RevocationSync
  #leave: (() => void) | undefined
  #timer: Timer | undefined

  constructor(deps: RevocationServiceDeps) {
    this.#deps = deps
    const { context, passing, keeper, records, clock, random, log, actor, network } = deps
    this.registry = new RevocationRegistry({ context, passing, keeper, records, clock, log })
    this.basis = new GrantBasis({ registry: this.registry, records, clock, log })
    this.#knowledge = new Knowledge({ records, clock, log })
    this.#sync = new RevocationSync({
      actor,
      network,
      registry: this.registry,
      knowledge: this.#knowledge,
      clock,
      random,
      log
    })
  }

  /** Puts in force what is stored. Before anybody is served, so that no revoked token is accepted in between. */
  async load(): Promise<void> {
    await this.registry.start()
  }

  /** Begins to ask others. The actor must run. */
  async start(): Promise<void> {
    this.#knowledge.start()
    this.#leave = this.#deps.keeper.onChange(() => this.#sync.refresh())
    this.#sweepLater()
    await this.#sync.start()
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#leave?.()
    this.#timer?.cancel()
    await this.#sync.stop()
    this.#knowledge.stop()
    this.basis.stop()
    this.registry.stop()
  }

  get status(): KnowledgeStatus {
    return {
      isCurrent: this.#knowledge.isCurrent,
      knownAsOfMs: this.#knowledge.knownAsOfMs,
      count: this.registry.ledger.size,
      turnedAway: this.registry.turnedAway
    }
  }

  /** Questions put to peers since the start. */
  get asked(): number {
    return this.#sync.asked
  }

  /** What another node lacks, in a page. */
  lacking(request: LackingRequest): Page {
    return pageOf(this.registry.ledger, request, key => this.#deps.records.find(key))
  }

  /** Publishes revocations and counts who says that it has them. Takes `waitMs`. */
  async broadcast(offers: readonly Offer[], waitMs: number, signal: AbortSignal): Promise<BroadcastReport> {
    const { actor, network, log } = this.#deps
    const { revocations, proofs } = offerTexts(offers)
    const payload = { Token: exactJson(revocations), Proof: exactJson(proofs) }
    const confirmed = new Set<string>()
    let refused: string | undefined
    const options = { timeoutMs: waitMs, replyTo: REVOKE_REPLY, signal }
    const listeners = network.subscribers(REVOCATION_TOPIC).length
    for await (const reply of actor.broadcast(REVOCATION_TOPIC, REVOKE_BEHAVIOR, payload, options)) {
      const answer = readAnswer(reply.payload)
      if (answer.isTaken) confirmed.add(reply.from.address.host)
      else refused ??= answer.reason
      if (confirmed.size >= listeners) break // nobody else is known to listen
    }
    log.info('revocations broadcast', { count: offers.length, listeners, confirmed: confirmed.size })
    return { listeners, confirmed: confirmed.size, refused }
  }

  #sweepLater(): void {
    this.#timer = this.#deps.clock.setTimer(ROUND_MS, () => {
      try {
        this.registry.collectGarbage()
      } catch (error) {
        this.#deps.log.warn('expired revocations not removed', { error: errorMessage(error) })
      }
      this.#sweepLater()
    })
  }
}

/** Characters of a stranger's reason that are passed on. */
const MAX_REASON = 1000

function readAnswer(payload: unknown): { isTaken: boolean; reason?: string } {
  if (typeof payload !== 'object' || payload === null) return { isTaken: false }
  if ('OK' in payload && payload.OK === true) return { isTaken: true }
  const reason = 'Error' in payload && typeof payload.Error === 'string' ? payload.Error : 'no reason given'
  return { isTaken: false, reason: reason.slice(0, MAX_REASON) }
}
