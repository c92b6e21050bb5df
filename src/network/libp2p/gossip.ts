/**
 * Broadcasts of one running host: joins topics, runs validators, delivers, and knows who is subscribed. A remote
 * subscription counts only once this host can send to that peer, so that what is published on the news of a
 * subscriber reaches it.
 */

import { type GossipSub, type Message, TopicValidatorResult } from '@libp2p/gossipsub'
import type { Clock, Logger, PeerId } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import { MAX_MESSAGE_BYTES } from '../constants.ts'
import type { TopicTable } from '../topic-table.ts'
import type { NetworkEvent, TopicVerdict } from '../types.ts'
import { peerIdOf } from './addresses.ts'
import type { Penalties } from './penalties.ts'

/** How often to look whether the stream to a new subscriber is open; it is a matter of one round trip. */
const READY_POLL_MS = 10

/** After this a subscriber without stream is announced anyway. */
const READY_LIMIT_MS = 3_000

const RESULTS: Readonly<Record<TopicVerdict, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject
}

export interface GossipDeps {
  clock: Clock
  log: Logger
  service: GossipSub
  self: PeerId
  topics: TopicTable
  penalties: Penalties
  emit: (event: NetworkEvent) => void
}

type SubscriptionEvent = CustomEvent<{
  peerId: { toString(): string }
  subscriptions: { topic: string; subscribe: boolean }[]
}>

export class Gossip {
  readonly #deps: GossipDeps
  /** Subscriptions that have been announced, by peer. */
  readonly #announced = new Map<PeerId, Set<string>>()
  /** Peers whose stream is waited for. */
  readonly #waiting = new Set<PeerId>()
  #isRunning = false

  constructor(deps: GossipDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#isRunning = true
    const { service, topics } = this.#deps
    service.addEventListener('message', this.#onMessage)
    service.addEventListener('subscription-change', this.#onSubscriptions)
    for (const topic of topics.topics()) this.join(topic)
  }

  stop(): void {
    this.#isRunning = false
    const { service } = this.#deps
    service.removeEventListener('message', this.#onMessage)
    service.removeEventListener('subscription-change', this.#onSubscriptions)
    this.#announced.clear()
  }

  join(topic: string): void {
    const { service } = this.#deps
    service.topicValidators.set(topic, (peer, message) => this.#validate(peer, message))
    service.subscribe(topic)
  }

  leave(topic: string): void {
    const { service } = this.#deps
    service.topicValidators.delete(topic)
    service.unsubscribe(topic)
  }

  async publish(topic: string, payload: Uint8Array): Promise<void> {
    // The bytes stay in the cache of the router for some seconds, so the caller keeps his own.
    await this.#deps.service.publish(topic, payload.slice())
  }

  subscribers(topic: string): PeerId[] {
    return [...this.#announced].filter(([, topics]) => topics.has(topic)).map(([peer]) => peer)
  }

  /** Forgets a peer that disconnected. */
  forget(peer: PeerId): void {
    const topics = this.#announced.get(peer)
    this.#announced.delete(peer)
    for (const topic of topics ?? []) {
      this.#deps.emit({ type: 'subscription-changed', peer, topic, subscribed: false })
    }
  }

  readonly #onMessage = (event: CustomEvent<Message>): void => {
    const message = event.detail
    if (message.type !== 'signed') return
    this.#deps.topics.deliver(message.topic, message.data, peerIdOf(message.from))
  }

  async #validate(forwarder: { toString(): string }, message: Message): Promise<TopicValidatorResult> {
    const { topics, penalties, self } = this.#deps
    if (message.type !== 'signed') return TopicValidatorResult.Reject
    const from = peerIdOf(message.from)
    // Own messages were delivered when they were published; one that comes back late is a replay.
    if (from === self) return TopicValidatorResult.Ignore
    const verdict =
      message.data.length > MAX_MESSAGE_BYTES
        ? 'reject'
        : await topics.validate(message.topic, message.data, from)
    if (verdict === 'reject') penalties.add(forwarder.toString())
    return RESULTS[verdict]
  }

  readonly #onSubscriptions = (event: SubscriptionEvent): void => {
    const peer = peerIdOf(event.detail.peerId)
    this.#announceWhenReady(peer).catch(error => {
      this.#deps.log.warn('subscription not announced', { peer, error: errorMessage(error) })
    })
  }

  async #announceWhenReady(peer: PeerId): Promise<void> {
    if (this.#waiting.has(peer)) return
    this.#waiting.add(peer)
    try {
      const endMs = this.#deps.clock.monotonicMs() + READY_LIMIT_MS
      while (!this.#canSend(peer) && this.#deps.clock.monotonicMs() < endMs && this.#isRunning) {
        await this.#deps.clock.sleep(READY_POLL_MS)
      }
    } finally {
      this.#waiting.delete(peer)
    }
    if (this.#isRunning) this.#reconcile(peer)
  }

  /** Compares what the router knows of a peer with what was announced, and announces the difference. */
  #reconcile(peer: PeerId): void {
    const known = this.#topicsOf(peer)
    const announced = this.#announced.get(peer) ?? new Set()
    const changes: NetworkEvent[] = []
    for (const topic of announced) {
      if (!known.has(topic)) changes.push({ type: 'subscription-changed', peer, topic, subscribed: false })
    }
    for (const topic of known) {
      if (!announced.has(topic)) changes.push({ type: 'subscription-changed', peer, topic, subscribed: true })
    }
    if (known.size > 0) this.#announced.set(peer, known)
    else this.#announced.delete(peer)
    for (const change of changes) this.#deps.emit(change)
  }

  #topicsOf(peer: PeerId): Set<string> {
    const topics = new Set<string>()
    for (const [topic, peers] of routerState(this.#deps.service).topics) {
      if (peers.has(peer)) topics.add(topic)
    }
    return topics
  }

  #canSend(peer: PeerId): boolean {
    return routerState(this.#deps.service).streamsOutbound.has(peer)
  }
}

interface RouterState {
  /** Remote subscribers by topic. */
  topics: ReadonlyMap<string, ReadonlySet<string>>
  /** Streams this host sends on, by peer. */
  streamsOutbound: ReadonlyMap<string, unknown>
}

/**
 * State that the router keeps in public members but leaves out of its declared type: there is no other way to list
 * the topics of a peer or to know that its stream is open.
 */
function routerState(service: GossipSub): RouterState {
  if ('topics' in service && service.topics instanceof Map) {
    if ('streamsOutbound' in service && service.streamsOutbound instanceof Map) {
      return { topics: service.topics, streamsOutbound: service.streamsOutbound }
    }
  }
  throw new TypeError('gossipsub changed its members: topics and streamsOutbound were expected')
}
