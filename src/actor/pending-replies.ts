/**
 * Replies an actor waits for. Not behaviours: several may wait under one fixed name (`/dms/deployment/bid`), each for
 * the actor it asked, and they never count against the limiter, or a busy node could not hear its own answers.
 */

import type { ActorId } from '../types/index.ts'
import { MAX_PENDING_REPLIES } from './constants.ts'
import type { Envelope } from './types.ts'

export interface PendingReply {
  /** Behaviour the reply is sent to; also the capability its sender must show. */
  readonly name: string
  /** The only actor whose reply counts; `undefined` after a broadcast. */
  readonly from: ActorId | undefined
  /** Takes an authorised reply. */
  readonly deliver: (envelope: Envelope) => void
}

export class PendingReplies {
  readonly #byName = new Map<string, Set<PendingReply>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get isFull(): boolean {
    return this.#size >= MAX_PENDING_REPLIES
  }

  /** Starts waiting; the undo stops it and may be called twice. */
  add(pending: PendingReply): () => void {
    const same = this.#byName.get(pending.name) ?? new Set()
    this.#byName.set(pending.name, same.add(pending))
    this.#size++
    return () => {
      if (!same.delete(pending)) return
      this.#size--
      if (same.size === 0 && this.#byName.get(pending.name) === same) this.#byName.delete(pending.name)
    }
  }

  /** Who waits for this message; the one that asked this very sender comes first. */
  find(envelope: Envelope): PendingReply | undefined {
    const same = [...(this.#byName.get(envelope.behavior) ?? [])]
    return (
      same.find(pending => pending.from === envelope.from.id) ??
      same.find(pending => pending.from === undefined)
    )
  }
}
