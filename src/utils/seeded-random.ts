/** Repeatable randomness for simulations and tests. Never for keys that matter. */

import { createHash } from 'node:crypto'
import type { RandomSource } from '../types/index.ts'
import { bytesToHex } from './bytes.ts'

/** SHA-256 in counter mode over the seed. */
export class SeededRandom implements RandomSource {
  readonly #seed: string
  #counter = 0
  #pool = new Uint8Array()

  constructor(seed: number | string) {
    this.#seed = String(seed)
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length)
    for (let filled = 0; filled < length; ) {
      if (this.#pool.length === 0) this.#refill()
      const part = this.#pool.subarray(0, length - filled)
      out.set(part, filled)
      this.#pool = this.#pool.subarray(part.length)
      filled += part.length
    }
    return out
  }

  below(bound: number): number {
    if (!Number.isInteger(bound) || bound > 2 ** 32)
      throw new RangeError(`bound '${bound}' is not a whole number up to 2^32`)
    if (bound <= 1) return 0
    const limit = Math.floor(2 ** 32 / bound) * bound
    for (;;) {
      const value = new DataView(this.bytes(4).buffer).getUint32(0)
      if (value < limit) return value % bound
    }
  }

  uuid(): string {
    const bytes = this.bytes(16)
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
    const hex = bytesToHex(bytes)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }

  #refill(): void {
    this.#pool = new Uint8Array(
      createHash('sha256')
        .update(`${this.#seed}:${this.#counter++}`)
        .digest()
    )
  }
}
