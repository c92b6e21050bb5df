/**
 * Remembers chains whose signatures were found good, by the hash of their whole text, signatures included. Only the
 * expensive part is remembered: expiry, depth, revocation and narrowing are checked anew each time, so an entry that
 * outlives its reason cannot admit anything. Entries still go at expiry and when something is revoked.
 */

import { createHash } from 'node:crypto'
import { MAX_VERIFIED_CHAINS } from './constants.ts'

/** A bounded memory of verified chains, to be passed to `verifyToken`; a capability context keeps its own. */
export class VerifiedChains {
  /** Hash of the text → when the chain expires. Least recently used first. */
  readonly #expiry = new Map<string, bigint>()
  readonly #limit: number

  constructor(limit: number = MAX_VERIFIED_CHAINS) {
    this.#limit = limit
  }

  get size(): number {
    return this.#expiry.size
  }

  has(text: string, nowNs: bigint): boolean {
    const key = hashOf(text)
    const expiresAtNs = this.#expiry.get(key)
    if (expiresAtNs === undefined) return false
    this.#expiry.delete(key)
    if (nowNs > expiresAtNs) return false
    this.#expiry.set(key, expiresAtNs)
    return true
  }

  add(text: string, expiresAtNs: bigint): void {
    if (this.#expiry.size >= this.#limit) {
      const oldest = this.#expiry.keys().next()
      if (!oldest.done) this.#expiry.delete(oldest.value)
    }
    this.#expiry.set(hashOf(text), expiresAtNs)
  }

  dropExpired(nowNs: bigint): void {
    for (const [key, expiresAtNs] of this.#expiry) if (nowNs > expiresAtNs) this.#expiry.delete(key)
  }

  clear(): void {
    this.#expiry.clear()
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}
