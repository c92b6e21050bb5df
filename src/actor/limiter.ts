/**
 * Counts handlers in flight, not messages per second (identity-and-actors §9.5). One per node: all its actors share
 * it. "Allow" is asked at intake, "acquire" before the handler runs; acquire is a little wider so that what was let
 * in is seldom turned away later.
 */

import type { PeerId } from '../types/index.ts'
import { LIMITS, PUBLIC_PREFIX } from './constants.ts'
import type { Envelope, LimiterOptions } from './types.ts'

/** A place held by a handler. Releasing twice does nothing. */
export type Permit = () => void

interface Counter {
  readonly key: string
  readonly allow: number
  readonly acquire: number
}

export class MessageLimiter {
  readonly #limits: Required<LimiterOptions>
  readonly #active = new Map<string, number>()

  constructor(options: LimiterOptions = {}) {
    this.#limits = { ...LIMITS, ...options }
  }

  /** Handlers in flight under all counters together, for leak checks. */
  get active(): number {
    return [...this.#active.values()].reduce((sum, count) => sum + count, 0)
  }

  allows(envelope: Envelope, peer: PeerId): boolean {
    return this.#counters(envelope, peer).every(counter => this.#count(counter) < counter.allow)
  }

  /** A permit, or `undefined` when too many handlers run. */
  acquire(envelope: Envelope, peer: PeerId): Permit | undefined {
    const counters = this.#counters(envelope, peer)
    if (counters.some(counter => this.#count(counter) >= counter.acquire)) return undefined
    for (const counter of counters) this.#active.set(counter.key, this.#count(counter) + 1)
    let isHeld = true
    return () => {
      if (isHeld) for (const counter of counters) this.#release(counter)
      isHeld = false
    }
  }

  #count(counter: Counter): number {
    return this.#active.get(counter.key) ?? 0
  }

  #release(counter: Counter): void {
    const count = this.#count(counter) - 1
    if (count > 0) this.#active.set(counter.key, count)
    else this.#active.delete(counter.key)
  }

  #counters(envelope: Envelope, peer: PeerId): Counter[] {
    const limits = this.#limits
    const { topic } = envelope.options
    if (topic !== '') {
      const perTopic = Object.hasOwn(limits.topics, topic) ? (limits.topics[topic] ?? 0) : limits.topicDefault
      return [
        { key: 'broadcast', allow: limits.broadcastAllow, acquire: limits.broadcastAcquire },
        { key: `topic:${topic}`, allow: perTopic, acquire: perTopic }
      ]
    }
    if (envelope.behavior.startsWith(PUBLIC_PREFIX)) {
      return [{ key: 'public', allow: limits.publicAllow, acquire: limits.publicAcquire }]
    }
    return [{ key: `peer:${peer}`, allow: limits.peerAllow, acquire: limits.peerAcquire }]
  }
}
