/** Checks every implementation makes before a message leaves the host. */

import { CapacityError } from '../utils/index.ts'
import {
  MAX_BROADCAST_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_SEND_BYTES_IN_FLIGHT,
  MAX_SENDS_IN_FLIGHT,
  MESSAGE_HEADER_BYTES
} from './constants.ts'
import { NetworkError } from './errors.ts'

/** @throws NetworkError `NETWORK_MESSAGE_TOO_LARGE` when header and payload exceed the limit of a message. */
export function checkMessageSize(payload: Uint8Array): void {
  checkSize(payload.length + MESSAGE_HEADER_BYTES, MAX_MESSAGE_BYTES)
}

/** @throws NetworkError `NETWORK_MESSAGE_TOO_LARGE` when a broadcast exceeds the limit of gossip. */
export function checkBroadcastSize(payload: Uint8Array): void {
  checkSize(payload.length, MAX_BROADCAST_BYTES)
}

function checkSize(bytes: number, limit: number): void {
  if (bytes <= limit) return
  throw new NetworkError('NETWORK_MESSAGE_TOO_LARGE', `message has ${bytes} bytes, at most ${limit} fit`, {
    details: { bytes, limit }
  })
}

/** Counts sends under way, and their bytes, and refuses the one too many (runtime §1.6). */
export class SendGate {
  #active = 0
  #bytes = 0

  /** Runs a send that holds `bytes` in memory. @throws CapacityError when a limit is reached. */
  async run<T>(bytes: number, task: () => Promise<T>): Promise<T> {
    if (this.#active >= MAX_SENDS_IN_FLIGHT) {
      throw new CapacityError(`${MAX_SENDS_IN_FLIGHT} sends are under way already`)
    }
    if (this.#active > 0 && this.#bytes + bytes > MAX_SEND_BYTES_IN_FLIGHT) {
      throw new CapacityError(`${MAX_SEND_BYTES_IN_FLIGHT} bytes of messages are under way already`)
    }
    this.#active++
    this.#bytes += bytes
    try {
      return await task()
    } finally {
      this.#active--
      this.#bytes -= bytes
    }
  }
}
