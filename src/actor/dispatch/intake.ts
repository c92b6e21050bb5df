/** The bounded queue between the network and the checks (identity-and-actors §9.1): full means dropped, never blocked. */

import type { AbortOptions, PeerId } from '../../types/index.ts'
import { BoundedQueue } from '../../utils/index.ts'
import { QUEUE_CAPACITY, QUEUE_SHARE_PER_PEER } from '../constants.ts'
import type { Arrival } from '../types.ts'

export class Intake {
  readonly #queue = new BoundedQueue<Arrival>(QUEUE_CAPACITY)
  readonly #byPeer = new Map<PeerId, number>()

  /** False when the queue, or this peer's share of it, is full. */
  offer(arrival: Arrival): boolean {
    const { peer } = arrival
    const queued = this.#byPeer.get(peer) ?? 0
    if (queued >= QUEUE_SHARE_PER_PEER || !this.#queue.offer(arrival)) return false
    this.#byPeer.set(peer, queued + 1)
    return true
  }

  /** The next message; rejects with the signal's reason. */
  async take(options: AbortOptions): Promise<Arrival> {
    const arrival = await this.#queue.take(options)
    const left = (this.#byPeer.get(arrival.peer) ?? 1) - 1
    if (left > 0) this.#byPeer.set(arrival.peer, left)
    else this.#byPeer.delete(arrival.peer)
    return arrival
  }
}
