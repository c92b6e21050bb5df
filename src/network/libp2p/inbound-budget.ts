/** How much memory and how many streams strangers may hold here, each and all together. */

import type { PeerId } from '../../types/index.ts'

export interface InboundLimits {
  streamsPerPeer: number
  streams: number
  bytesPerPeer: number
  bytes: number
}

/** A js peer of ours sends to one peer on 64 streams at once; twice that leaves room for streams that are closing. */
export const INBOUND_LIMITS: InboundLimits = {
  streamsPerPeer: 128,
  streams: 1024,
  bytesPerPeer: 16_777_216,
  bytes: 67_108_864
}

interface Use {
  streams: number
  bytes: number
}

export class InboundBudget {
  readonly #limits: InboundLimits
  readonly #peers = new Map<PeerId, Use>()
  readonly #total: Use = { streams: 0, bytes: 0 }

  constructor(limits: InboundLimits = INBOUND_LIMITS) {
    this.#limits = limits
  }

  /** Peers that hold something, for leak checks in tests. */
  get peerCount(): number {
    return this.#peers.size
  }

  /** False when the peer, or all together, have too many streams open. */
  openStream(peer: PeerId): boolean {
    const use = this.#peers.get(peer) ?? { streams: 0, bytes: 0 }
    if (use.streams >= this.#limits.streamsPerPeer || this.#total.streams >= this.#limits.streams)
      return false
    use.streams++
    this.#total.streams++
    this.#peers.set(peer, use)
    return true
  }

  /** False when the peer, or all together, would hold too many bytes. */
  take(peer: PeerId, bytes: number): boolean {
    const use = this.#peers.get(peer)
    if (use === undefined || use.bytes + bytes > this.#limits.bytesPerPeer) return false
    if (this.#total.bytes + bytes > this.#limits.bytes) return false
    use.bytes += bytes
    this.#total.bytes += bytes
    return true
  }

  /** Gives back bytes that were taken. */
  giveBack(peer: PeerId, bytes: number): void {
    const use = this.#peers.get(peer)
    if (use === undefined) return
    use.bytes -= bytes
    this.#total.bytes -= bytes
  }

  /** Undoes one `openStream`. */
  closeStream(peer: PeerId): void {
    const use = this.#peers.get(peer)
    if (use === undefined) return
    use.streams--
    this.#total.streams--
    if (use.streams === 0) this.#peers.delete(peer)
  }
}
