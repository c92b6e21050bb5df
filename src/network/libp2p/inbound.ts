/** Takes messages off inbound streams: one stream, one message, bounded in time, bytes and number (runtime §1.6). */

import type { Stream } from '@libp2p/interface'
import type { Clock, Logger, PeerId, Timer } from '../../types/index.ts'
import { CapacityError, errorMessage, TimeLimitError } from '../../utils/index.ts'
import { MESSAGE_READ_LIMIT_MS } from '../constants.ts'
import { FrameReader } from './frame.ts'
import { InboundBudget, type InboundLimits } from './inbound-budget.ts'

/** A peer that sent its message and does not close its side is cut off after this. */
const LINGER_MS = 5_000

/** The part of a libp2p stream that reading needs. */
export type InboundStream = Pick<
  Stream,
  'addEventListener' | 'removeEventListener' | 'close' | 'abort' | 'readableEnded' | 'status'
>

export interface InboundDeps {
  clock: Clock
  log: Logger
  deliver: (protocol: string, payload: Uint8Array, from: PeerId) => void
}

export class InboundStreams {
  readonly #deps: InboundDeps
  readonly #budget: InboundBudget

  constructor(deps: InboundDeps, limits?: InboundLimits) {
    this.#deps = deps
    this.#budget = new InboundBudget(limits)
  }

  get budget(): InboundBudget {
    return this.#budget
  }

  /** Reads the message of one stream and delivers it. Returns at once. */
  accept(protocol: string, stream: InboundStream, from: PeerId): void {
    if (!this.#budget.openStream(from)) {
      stream.abort(new CapacityError('too many message streams are open'))
      return
    }
    new Reading(this.#deps, this.#budget, { protocol, stream, from }).begin()
  }
}

interface Source {
  protocol: string
  stream: InboundStream
  from: PeerId
}

/** The life of one inbound stream: reading, then waiting for the peer to close, then gone. */
class Reading {
  readonly #deps: InboundDeps
  readonly #budget: InboundBudget
  readonly #source: Source
  readonly #frame = new FrameReader()
  #timer: Timer | undefined
  #bytes = 0
  #isRead = false
  #isClosed = false

  constructor(deps: InboundDeps, budget: InboundBudget, source: Source) {
    this.#deps = deps
    this.#budget = budget
    this.#source = source
  }

  begin(): void {
    const { stream } = this.#source
    this.#arm(MESSAGE_READ_LIMIT_MS, 'message')
    stream.addEventListener('close', this.#onClose)
    stream.addEventListener('end', this.#onEnd)
    stream.addEventListener('message', this.#onMessage)
    // Events that came before the listeners do not come again.
    if (stream.status !== 'open' && stream.status !== 'closing') this.#onClose()
    else if (stream.readableEnded) this.#onEnd()
  }

  readonly #onMessage = (event: { data: Uint8Array | { subarray(): Uint8Array } }): void => {
    try {
      this.#take(event.data.subarray())
    } catch (error) {
      this.#fail(error)
    }
  }

  /** The peer closed its side. Before the message is whole that makes the message void. */
  readonly #onEnd = (): void => {
    if (!this.#isRead && !this.#isClosed) this.#fail(new Error('stream ended before the message was whole'))
  }

  readonly #onClose = (): void => {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#timer?.cancel()
    this.#release()
    this.#budget.closeStream(this.#source.from)
    const { stream } = this.#source
    stream.removeEventListener('message', this.#onMessage)
    stream.removeEventListener('end', this.#onEnd)
    stream.removeEventListener('close', this.#onClose)
  }

  #take(piece: Uint8Array): void {
    if (this.#isRead || this.#isClosed) throw new Error('bytes after the message')
    const { protocol, from } = this.#source
    if (!this.#budget.take(from, piece.length))
      throw new CapacityError('too many bytes of messages are pending')
    this.#bytes += piece.length
    const payload = this.#frame.push(piece)
    if (payload === undefined) return
    this.#isRead = true
    this.#release()
    this.#arm(LINGER_MS, 'closing of a message stream')
    this.#source.stream.close().catch(error => this.#fail(error))
    this.#deps.deliver(protocol, payload, from)
  }

  #release(): void {
    this.#budget.giveBack(this.#source.from, this.#bytes)
    this.#bytes = 0
  }

  #arm(ms: number, what: string): void {
    this.#timer?.cancel()
    this.#timer = this.#deps.clock.setTimer(ms, () => {
      this.#fail(new TimeLimitError(`${what} took longer than ${ms} ms`))
    })
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return
    const { stream, protocol, from } = this.#source
    this.#deps.log.debug('inbound message stream reset', { protocol, from, error: errorMessage(error) })
    stream.abort(error instanceof Error ? error : new Error(String(error)))
    this.#onClose()
  }
}
