/** The keys the agent holds, and how long it may. Every look at the ring drops what is over. */

import type { Signer } from '../lib/did/index.ts'
import type { Clock } from '../types/index.ts'
import { MAX_KEYS } from './constants.ts'
import { Elapsed } from './elapsed.ts'
import { KeyAgentError } from './errors.ts'
import type { HeldKeyStatus } from './types.ts'

/** How long a key stays. Milliseconds. */
export interface KeyTimes {
  /** Since it last signed. */
  readonly idleMs: number
  /** Since it was unlocked. */
  readonly lifetimeMs: number
}

interface HeldKey extends KeyTimes {
  readonly signer: Signer
  /** The sealed file it was opened from: when that is another, the key is not that name's any more. */
  readonly sealed: Uint8Array
  readonly unlockedAtMs: number
  readonly held: Elapsed
  unused: Elapsed
}

export class KeyRing {
  readonly #clock: Clock
  readonly #keys = new Map<string, HeldKey>()
  #locks = 0

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock
  }

  /** Number of keys held. */
  get size(): number {
    this.expire()
    return this.#keys.size
  }

  /** How often something was asked to be dropped: what was being unlocked then must not be added after. */
  get locks(): number {
    return this.#locks
  }

  /** Holds a key; one of that name is replaced. @throws KeyAgentError `KEY_AGENT_BUSY` */
  add(name: string, signer: Signer, sealed: Uint8Array, times: KeyTimes): HeldKeyStatus {
    this.requireRoom(name)
    const key: HeldKey = {
      signer,
      sealed,
      ...times,
      unlockedAtMs: this.#clock.nowMs(),
      held: new Elapsed(this.#clock),
      unused: new Elapsed(this.#clock)
    }
    this.#keys.set(name, key)
    return this.#statusOf(name, key)
  }

  /** @throws KeyAgentError `KEY_AGENT_BUSY` when a key of this name cannot be taken. */
  requireRoom(name: string): void {
    if (this.size < MAX_KEYS || this.#keys.has(name)) return
    throw new KeyAgentError('KEY_AGENT_BUSY', `the agent holds ${MAX_KEYS} keys already`, {
      hint: 'lock those you do not need: nunet key lock <name>'
    })
  }

  /** A key that is held, and the file it came from. Looking is no use of it. */
  find(name: string): { readonly signer: Signer; readonly sealed: Uint8Array } | undefined {
    this.expire()
    return this.#keys.get(name)
  }

  /** The key was used: its idle time begins again. */
  touch(name: string): void {
    const key = this.#keys.get(name)
    if (key !== undefined) key.unused = new Elapsed(this.#clock)
  }

  /** Drops a key; whether it was held. */
  drop(name: string): boolean {
    this.#locks++
    this.expire()
    return this.#keys.delete(name)
  }

  /** Drops all keys; their names. */
  dropAll(): string[] {
    this.#locks++
    const names = this.list().map(({ name }) => name)
    this.#keys.clear()
    return names
  }

  /** Drops the keys whose time is over. */
  expire(): void {
    for (const [name, { idleMs, lifetimeMs, unused, held }] of this.#keys) {
      if (unused.ms >= idleMs || held.ms >= lifetimeMs) this.#keys.delete(name)
    }
  }

  list(): HeldKeyStatus[] {
    this.expire()
    return [...this.#keys].map(([name, key]) => this.#statusOf(name, key))
  }

  #statusOf(
    name: string,
    { signer, idleMs, lifetimeMs, unlockedAtMs, held, unused }: HeldKey
  ): HeldKeyStatus {
    const nowMs = this.#clock.nowMs()
    const endsAtMs = Math.ceil(nowMs + lifetimeMs - held.ms)
    const idleUntilMs = Math.min(endsAtMs, Math.ceil(nowMs + idleMs - unused.ms))
    return { name, did: signer.did, unlockedAtMs, idleUntilMs, endsAtMs }
  }
}
