/** Checks every implementation makes before a message leaves the host. */

import { CapacityError } from '../utils/index.ts'
import { MAX_MESSAGE_BYTES, MAX_SENDS_IN_FLIGHT, MESSAGE_HEADER_BYTES } from './constants.ts'
import { NetworkError } from './errors.ts'

/** @throws NetworkError `NETWORK_MESSAGE_TOO_LARGE` when header and payload exceed the limit of a message. */
export function checkMessageSize(payload: Uint8Array): void {
  const bytes = payload.length + MESSAGE_HEADER_BYTES
  if (bytes > MAX_MESSAGE_BYTES) throw tooLarge(bytes)
}

/** @throws NetworkError `NETWORK_MESSAGE_TOO_LARGE` when a broadcast exceeds the limit of gossip (runtime §8). */
export function checkBroadcastSize(payload: Uint8Array): void {
  if (payload.length > MAX_MESSAGE_BYTES) throw tooLarge(payload.length)
}

function tooLarge(bytes: number): NetworkError {
  return new NetworkError(
    'NETWORK_MESSAGE_TOO_LARGE',
    `message has ${bytes} bytes, at most ${MAX_MESSAGE_BYTES} fit`,
    {
      details: { bytes, limit: MAX_MESSAGE_BYTES }
    }
  )
}

/** Counts sends under way and refuses the one too many (runtime §1.6). */
export class SendGate {
  readonly #limit: number
  #active = 0

  constructor(limit: number = MAX_SENDS_IN_FLIGHT) {
    this.#limit = limit
  }

  get active(): number {
    return this.#active
  }

  /** @throws CapacityError when the limit is reached. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#active >= this.#limit) throw new CapacityError(`${this.#limit} sends are under way already`)
    this.#active++
    try {
      return await task()
    } finally {
      this.#active--
    }
  }
}
