/** Topic subscriptions of one actor: one per topic, held while a behaviour listens on it. */

import type { Registration } from '../network/index.ts'
import type { PeerId } from '../types/index.ts'
import { judgeBroadcast } from './dispatch/broadcast.ts'
import type { ActorSystem } from './system.ts'

export class TopicSubscriptions {
  readonly #system: ActorSystem
  readonly #deliver: (bytes: Uint8Array, peer: PeerId) => void
  readonly #listeners = new Map<string, number>()
  readonly #registrations = new Map<string, Registration>()
  #isOpen = false

  constructor(system: ActorSystem, deliver: (bytes: Uint8Array, peer: PeerId) => void) {
    this.#system = system
    this.#deliver = deliver
  }

  /** Subscribes to all topics asked for so far, and from now on at once. */
  open(): void {
    this.#isOpen = true
    for (const topic of this.#listeners.keys()) this.#subscribe(topic)
  }

  /** Leaves all topics; they stay known for a later `open`. */
  close(): void {
    this.#isOpen = false
    for (const registration of this.#registrations.values()) registration.unregister()
    this.#registrations.clear()
  }

  /** One more behaviour listens on `topic`; the undo may be called twice. */
  add(topic: string): () => void {
    this.#listeners.set(topic, (this.#listeners.get(topic) ?? 0) + 1)
    if (this.#isOpen) this.#subscribe(topic)
    let isHeld = true
    return () => {
      if (isHeld) this.#leave(topic)
      isHeld = false
    }
  }

  #subscribe(topic: string): void {
    if (this.#registrations.has(topic)) return
    const { network, clock, limiter } = this.#system
    const validate = (payload: Uint8Array, peer: PeerId) =>
      judgeBroadcast(payload, peer, topic, { nowNs: clock.nowNs(), limiter })
    this.#registrations.set(topic, network.subscribe(topic, { validate, handle: this.#deliver }))
  }

  #leave(topic: string): void {
    const count = (this.#listeners.get(topic) ?? 1) - 1
    if (count > 0) {
      this.#listeners.set(topic, count)
      return
    }
    this.#listeners.delete(topic)
    this.#registrations.get(topic)?.unregister()
    this.#registrations.delete(topic)
  }
}
