/** Replies to one broadcast, as they come, until its time is over. */

import type { ActorId } from '../types/index.ts'
import { BoundedQueue } from '../utils/index.ts'
import { BROADCAST_REPLIES_PER_SENDER, BROADCAST_REPLY_CAPACITY } from './constants.ts'
import { decodePayload } from './message/index.ts'
import type { Envelope, Reply } from './types.ts'

export interface BroadcastRepliesOptions {
  /** Fires at expiry. What has come by then is still read. */
  readonly expiry: AbortSignal
  /** Fires when the caller wants no more; what is unread is dropped. */
  readonly abort: AbortSignal
  /** Ends the collecting. Called once. */
  readonly close: () => void
}

export class BroadcastReplies implements AsyncIterable<Reply> {
  readonly #options: BroadcastRepliesOptions
  readonly #queue = new BoundedQueue<Reply>(BROADCAST_REPLY_CAPACITY)
  readonly #bySender = new Map<ActorId | '', number>()
  #published: Promise<{ readonly error: unknown } | undefined> = Promise.resolve(undefined)
  #isClosed = false

  constructor(options: BroadcastRepliesOptions) {
    this.#options = options
    options.expiry.addEventListener('abort', () => this.#close(), { once: true })
    if (options.expiry.aborted) this.#close()
  }

  /** The publication under way; when it fails the loop throws its error. */
  follow(publication: Promise<void>): void {
    this.#published = publication.then(
      () => undefined,
      (error: unknown) => {
        this.#close()
        return { error }
      }
    )
  }

  /** Takes an authorised reply; one that is not JSON, or one too many, is dropped. */
  deliver(envelope: Envelope): void {
    const { id } = envelope.from
    const count = this.#bySender.get(id) ?? 0
    const payload = decodePayload(envelope.message)
    if (this.#isClosed || !payload.ok || count >= BROADCAST_REPLIES_PER_SENDER) return
    if (this.#queue.offer({ from: envelope.from, payload: payload.value })) this.#bySender.set(id, count + 1)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Reply, void, void> {
    const { expiry, abort } = this.#options
    try {
      const failure = await this.#published
      if (failure && !expiry.aborted) throw failure.error
      for (;;) {
        if (abort.aborted) return
        if (this.#queue.size === 0 && expiry.aborted) return
        const next = await this.#next()
        if (next === undefined) return
        yield next
      }
    } finally {
      this.#close()
    }
  }

  async #next(): Promise<Reply | undefined> {
    if (this.#queue.size > 0) return await this.#queue.take()
    return await this.#queue.take({ signal: this.#options.expiry }).catch(() => undefined) // rejects at the end only
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#options.close()
  }
}
