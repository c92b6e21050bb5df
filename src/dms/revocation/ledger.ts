/**
 * The revocations a node knows, as two nodes compare them: each has a mark, the hash of what it says, marks fall into
 * buckets by their first byte, and a bucket has a digest over its marks in order. Equal digests mean equal content,
 * so two nodes that know the same exchange a few kilobytes whatever they know. Also counts what is charged to whom.
 */

import { createHash } from 'node:crypto'
import type { Did } from '../../types/index.ts'
import { BUCKETS } from './constants.ts'

/** One known revocation. Its text is in the database. */
export interface Entry {
  readonly key: string
  /** Unix nanoseconds. */
  readonly expiresAtNs: bigint
  /** Characters of the revocation. */
  readonly length: number
  readonly charged: readonly Did[]
  /** Whether it is charged to members, by its proof. */
  readonly isProven: boolean
  readonly learntAtMs: number
  readonly learntFrom: string
}

/** Characters of a bucket's digest: 128 bits, so that nobody can make two differing buckets look alike. */
export const DIGEST_LENGTH = 32

/** A mark is a SHA-256 in hex; its first two characters are the bucket. */
export const MARK_LENGTH = 64

export class Ledger {
  readonly #entries = new Map<string, Entry>()
  /** Key by mark, per bucket. */
  readonly #buckets: readonly Map<string, string>[] = Array.from({ length: BUCKETS }, () => new Map())
  readonly #digests: (string | undefined)[] = new Array(BUCKETS).fill(undefined)
  readonly #charges = new Map<Did, number>()
  #proven = 0
  #length = 0
  #provenLength = 0

  get size(): number {
    return this.#entries.size
  }

  /** Characters of all revocations. */
  get length(): number {
    return this.#length
  }

  /** Characters of those that count by a proof. */
  get provenLength(): number {
    return this.#provenLength
  }

  /** Entries that count by a proof. */
  get proven(): number {
    return this.#proven
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  values(): Entry[] {
    return [...this.#entries.values()]
  }

  chargedTo(did: Did): number {
    return this.#charges.get(did) ?? 0
  }

  /** Adds, or replaces the entry of the same key. */
  add(entry: Entry): void {
    this.delete(entry.key)
    this.#entries.set(entry.key, entry)
    const mark = markOf(entry)
    this.#bucketOf(mark)?.set(mark, entry.key)
    this.#digests[bucketOf(mark)] = undefined
    for (const did of entry.charged) this.#charges.set(did, this.chargedTo(did) + 1)
    this.#count(entry, 1)
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    const mark = markOf(entry)
    this.#bucketOf(mark)?.delete(mark)
    this.#digests[bucketOf(mark)] = undefined
    for (const did of entry.charged) {
      const left = this.chargedTo(did) - 1
      if (left > 0) this.#charges.set(did, left)
      else this.#charges.delete(did)
    }
    this.#count(entry, -1)
  }

  /** One digest for each bucket. */
  digests(): string[] {
    return this.#buckets.map((bucket, index) => {
      const digest = this.#digests[index] ?? hashOf([...bucket.keys()].sort().join()).slice(0, DIGEST_LENGTH)
      this.#digests[index] = digest
      return digest
    })
  }

  /** One digest of everything. */
  digest(): string {
    return hashOf(this.digests().join()).slice(0, DIGEST_LENGTH)
  }

  /** Entries with a mark above `after`, in order, of the buckets whose digest differs from that in `have`. */
  *beyond(have: readonly string[] | undefined, after: string): Generator<{ mark: string; entry: Entry }> {
    const digests = this.digests()
    for (const [index, bucket] of this.#buckets.entries()) {
      if (index < bucketOf(after) || digests[index] === have?.[index]) continue
      for (const mark of [...bucket.keys()].sort()) {
        const entry = this.#entries.get(bucket.get(mark) ?? '')
        if (mark > after && entry !== undefined) yield { mark, entry }
      }
    }
  }

  #count({ isProven, length }: Entry, sign: 1 | -1): void {
    this.#length += sign * length
    if (!isProven) return
    this.#proven += sign
    this.#provenLength += sign * length
  }

  #bucketOf(mark: string): Map<string, string> | undefined {
    return this.#buckets[bucketOf(mark)]
  }
}

/** The end is part of it: a revocation that holds longer is other knowledge. */
function markOf({ key, expiresAtNs }: Entry): string {
  return hashOf(`${key}@${expiresAtNs}`)
}

function bucketOf(mark: string): number {
  return mark === '' ? 0 : Number.parseInt(mark.slice(0, 2), 16)
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
