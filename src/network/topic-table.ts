/** Subscriptions of one host by topic: several may share a topic, the host joins and leaves it once. */

import type { Logger, PeerId } from '../types/index.ts'
import { errorMessage } from '../utils/index.ts'
import type { Registration, TopicHandlers, TopicVerdict } from './types.ts'

export interface TopicTableEvents {
  /** The first subscription of a topic was made. */
  joined(topic: string): void
  /** The last subscription of a topic was undone. */
  left(topic: string): void
}

export class TopicTable {
  readonly #log: Logger | undefined
  readonly #events: TopicTableEvents
  readonly #topics = new Map<string, Set<TopicHandlers>>()

  constructor(deps: { log?: Logger | undefined; events: TopicTableEvents }) {
    this.#log = deps.log
    this.#events = deps.events
  }

  add(topic: string, handlers: TopicHandlers): Registration {
    // A copy, so that one object subscribed twice counts twice.
    const entry = { ...handlers }
    const entries = this.#topics.get(topic) ?? new Set()
    entries.add(entry)
    if (!this.#topics.has(topic)) {
      this.#topics.set(topic, entries)
      this.#events.joined(topic)
    }
    return { unregister: () => this.#remove(topic, entry) }
  }

  has(topic: string): boolean {
    return this.#topics.has(topic)
  }

  topics(): string[] {
    return [...this.#topics.keys()]
  }

  /** The first verdict but `accept` wins; a validator that throws counts as `ignore`, for the fault may be ours. */
  async validate(topic: string, payload: Uint8Array, from: PeerId): Promise<TopicVerdict> {
    for (const { validate } of [...(this.#topics.get(topic) ?? [])]) {
      if (validate === undefined) continue
      try {
        const verdict = await validate(payload, from)
        if (verdict !== 'accept') return verdict
      } catch (error) {
        this.#log?.warn('topic validator failed', { topic, from, error: errorMessage(error) })
        return 'ignore'
      }
    }
    return 'accept'
  }

  /** Hands a message to every subscription. Never throws: handlers are somebody else's code. */
  deliver(topic: string, payload: Uint8Array, from: PeerId): void {
    for (const { handle } of [...(this.#topics.get(topic) ?? [])]) {
      try {
        handle(payload, from)
      } catch (error) {
        this.#log?.warn('topic handler failed', { topic, from, error: errorMessage(error) })
      }
    }
  }

  #remove(topic: string, entry: TopicHandlers): void {
    const entries = this.#topics.get(topic)
    if (!entries?.delete(entry) || entries.size > 0) return
    this.#topics.delete(topic)
    this.#events.left(topic)
  }
}
