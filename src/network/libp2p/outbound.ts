/**
 * Writes messages: one stream per message, in one write, at most so many streams per peer. A place is free again
 * only when the other side has closed too, so that a slow receiver slows down its own messages and nothing else.
 */

import type { Connection, Stream } from '@libp2p/interface'
import type { Clock, PeerId } from '../../types/index.ts'
import { deadline, Limiter, raceSignal } from '../../utils/index.ts'
import { unreachable, unsupported } from '../faults.ts'

/** Message streams to one peer at once; half of what our own receiver takes. */
const STREAMS_PER_PEER = 64

/** Messages to one peer that wait for a stream: with those under way about half of what all peers together may have. */
const BACKLOG_PER_PEER = 2048

/** Opening a stream and agreeing on the protocol: a few round trips. */
const OPEN_LIMIT_MS = 5_000

/** Writing a message when the caller set no limit: as long as the other side waits for it. */
const WRITE_LIMIT_MS = 30_000

/** A receiver that does not close its side in this time is cut off. */
const LINGER_MS = 10_000

export interface Outgoing {
  peer: PeerId
  protocol: string
  frame: Uint8Array
}

export class OutboundStreams {
  readonly #clock: Clock
  readonly #lanes = new Map<PeerId, { limiter: Limiter; users: number }>()

  constructor(deps: { clock: Clock }) {
    this.#clock = deps.clock
  }

  /**
   * Writes one message on a connection that `connect` provides; resolves when the bytes are handed over.
   * @throws NetworkError, CapacityError, or the signal's reason.
   */
  async send(message: Outgoing, connect: () => Promise<Connection>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const lane = this.#lanes.get(message.peer) ?? {
      limiter: new Limiter(STREAMS_PER_PEER, BACKLOG_PER_PEER),
      users: 0
    }
    this.#lanes.set(message.peer, lane)
    lane.users++
    const handedOver = Promise.withResolvers<void>()
    const inLane = lane.limiter.run(async () => {
      signal.throwIfAborted()
      const stream = await this.#open(message, await connect(), signal)
      await this.#write(stream, message, signal)
      handedOver.resolve()
      await this.#closed(stream)
    })
    inLane.catch(handedOver.reject).finally(() => {
      if (--lane.users === 0) this.#lanes.delete(message.peer)
    })
    await raceSignal(handedOver.promise, signal)
  }

  async #open({ peer, protocol }: Outgoing, connection: Connection, parent: AbortSignal): Promise<Stream> {
    using limit = deadline(this.#clock, OPEN_LIMIT_MS, 'opening a message stream', parent)
    try {
      return await connection.newStream(protocol, {
        signal: limit.signal,
        runOnLimitedConnection: true,
        negotiateFully: true,
        maxOutboundStreams: STREAMS_PER_PEER * 2
      })
    } catch (cause) {
      parent.throwIfAborted()
      if (cause instanceof Error && cause.name === 'UnsupportedProtocolError') {
        throw unsupported(peer, protocol, cause)
      }
      throw unreachable(peer, limit.signal.aborted ? limit.signal.reason : cause)
    }
  }

  async #write(stream: Stream, { peer, frame }: Outgoing, parent: AbortSignal): Promise<void> {
    using limit = deadline(this.#clock, WRITE_LIMIT_MS, 'writing a message', parent)
    try {
      limit.signal.throwIfAborted()
      stream.send(frame)
      // Waits until all bytes have left the stream's own buffer, so nothing of ours piles up behind it.
      await raceSignal(stream.close({ signal: limit.signal }), limit.signal)
    } catch (cause) {
      stream.abort(cause instanceof Error ? cause : new Error(String(cause)))
      parent.throwIfAborted()
      throw unreachable(peer, limit.signal.aborted ? limit.signal.reason : cause)
    }
  }

  /** Resolves when both sides have closed; cuts the stream off when that takes too long. */
  async #closed(stream: Stream): Promise<void> {
    if (stream.status !== 'open' && stream.status !== 'closing') return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = this.#clock.setTimer(LINGER_MS, () =>
      stream.abort(new Error('peer did not close its side'))
    )
    stream.addEventListener('close', () => resolve(), { once: true })
    await promise
    timer.cancel()
  }
}
