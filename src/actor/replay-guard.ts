/**
 * Remembers which messages were taken, so that a copy of one is dropped while the original is still valid. The
 * existing system has no such protection (identity-and-actors §8.4). Only messages whose sender was authorised, or
 * will get an answer, are recorded: what strangers send is refused anyway and must not fill the table.
 *
 * Bounded twice. A sender with many live messages loses its oldest nonces, and from then on everything at or below
 * them counts as seen: nonces of one sender rise. With too many senders the one taken from longest ago is forgotten,
 * which lets only that sender's own messages be repeated, and only by its own host.
 */

import type { ActorId } from '../types/index.ts'
import { REPLAY_NONCES_PER_SENDER, REPLAY_SENDERS, REPLAY_TOTAL } from './constants.ts'
import type { Envelope } from './types.ts'

interface Sender {
  /** Expiry by nonce, in order of arrival. */
  readonly seen: Map<bigint, bigint>
  /** Nonces up to this one count as seen until `floorExpiresAtNs`. */
  floor: bigint
  floorExpiresAtNs: bigint
}

export interface ReplayGuardOptions {
  senders?: number
  noncesPerSender?: number
  total?: number
}

export class ReplayGuard {
  readonly #senders = new Map<ActorId | '', Sender>()
  readonly #maxSenders: number
  readonly #maxNonces: number
  readonly #maxTotal: number
  #size = 0

  constructor(options: ReplayGuardOptions = {}) {
    this.#maxSenders = options.senders ?? REPLAY_SENDERS
    this.#maxNonces = options.noncesPerSender ?? REPLAY_NONCES_PER_SENDER
    this.#maxTotal = options.total ?? REPLAY_TOTAL
  }

  /** Messages remembered now, for leak checks. */
  get size(): number {
    return this.#size
  }

  isRepeated(envelope: Envelope, nowNs: bigint): boolean {
    const sender = this.#senders.get(envelope.from.id)
    if (sender === undefined) return false
    return (
      sender.seen.has(envelope.nonce) || (sender.floorExpiresAtNs >= nowNs && envelope.nonce <= sender.floor)
    )
  }

  record(envelope: Envelope, nowNs: bigint): void {
    const id = envelope.from.id
    const sender = this.#senders.get(id) ?? { seen: new Map(), floor: -1n, floorExpiresAtNs: 0n }
    this.#senders.delete(id)
    while (this.#senders.size >= this.#maxSenders) this.#forgetOldestSender()
    this.#senders.set(id, sender)
    if (sender.seen.size >= this.#maxNonces) this.#thin(sender, nowNs)
    while (this.#size >= this.#maxTotal && this.#senders.size > 1) this.#forgetOldestSender()
    if (!sender.seen.has(envelope.nonce)) this.#size++
    sender.seen.set(envelope.nonce, envelope.options.expiresAtNs)
  }

  /** Makes room in one sender's record: what has expired goes, else its oldest entry raises the floor. */
  #thin(sender: Sender, nowNs: bigint): void {
    for (const [nonce, expiresAtNs] of sender.seen) if (expiresAtNs < nowNs) this.#drop(sender, nonce)
    if (sender.seen.size < this.#maxNonces) return
    const [oldest] = sender.seen
    if (oldest === undefined) return
    const [nonce, expiresAtNs] = oldest
    this.#drop(sender, nonce)
    if (nonce > sender.floor) sender.floor = nonce
    if (expiresAtNs > sender.floorExpiresAtNs) sender.floorExpiresAtNs = expiresAtNs
  }

  #drop(sender: Sender, nonce: bigint): void {
    if (sender.seen.delete(nonce)) this.#size--
  }

  #forgetOldestSender(): void {
    for (const [id, sender] of this.#senders) {
      this.#senders.delete(id)
      this.#size -= sender.seen.size
      return
    }
  }
}
