/**
 * Forwards messages a local program has signed with a key of its own, and hands it the replies (identity-and-actors
 * §10.2). The program's handle names this host, so replies come to an inbox that exists for one call only. The
 * existing system hands back whatever arrives there; here a reply must be what it claims to be.
 */

import type { Network, Registration } from '../network/index.ts'
import type { AbortOptions, Clock, Logger, PeerId, Refusal, Result } from '../types/index.ts'
import { deadline, errorCode, ok, raceSignal, refusal, refuse } from '../utils/index.ts'
import { ROOT_INBOX } from './constants.ts'
import { checkExpiry } from './dispatch/bound.ts'
import { ActorError } from './errors.ts'
import {
  decodeEnvelope,
  encodeEnvelope,
  handlesEqual,
  isEmptyHandle,
  messageProtocol,
  verifyEnvelope
} from './message/index.ts'
import type { Envelope, Gateway } from './types.ts'

/** What a gateway works with: the network whose host the programs' handles name. */
export interface GatewayDeps {
  readonly network: Pick<Network, 'peerId' | 'handleMessages' | 'send' | 'publish'>
  readonly clock: Clock
  readonly log: Logger
}

/** Replies to one broadcast handed back at most. */
const MAX_REPLIES = 1024

/** Bytes of payload in them at most: they are held in memory until the broadcast expires. */
const MAX_REPLY_BYTES = 16 * 1024 * 1024

/** Makes the gateway of a node. It holds nothing between calls, so it is neither started nor stopped. */
export function createGateway(deps: GatewayDeps): Gateway {
  return new NetworkGateway(deps)
}

class NetworkGateway implements Gateway {
  readonly #deps: GatewayDeps

  constructor(deps: GatewayDeps) {
    this.#deps = deps
  }

  async send(envelope: Envelope, { signal }: AbortOptions = {}): Promise<void> {
    const host = this.#unicastHost(envelope)
    using limit = this.#deadline(envelope, signal)
    await this.#forward(envelope, host, limit.signal)
  }

  async invoke(envelope: Envelope, { signal }: AbortOptions = {}): Promise<Envelope> {
    const host = this.#unicastHost(envelope)
    using limit = this.#deadline(envelope, signal)
    const answer = Promise.withResolvers<Envelope>()
    const inbox = this.#openInbox(envelope, reply => answer.resolve(reply))
    try {
      await this.#forward(envelope, host, limit.signal)
      return await raceSignal(answer.promise, limit.signal)
    } finally {
      inbox.unregister()
    }
  }

  async broadcast(envelope: Envelope, { signal }: AbortOptions = {}): Promise<Envelope[]> {
    if (envelope.options.topic === '' || !isEmptyHandle(envelope.to))
      throw invalid('message is not a broadcast message')
    this.#check(envelope)
    using limit = this.#deadline(envelope, signal)
    const replies: Envelope[] = []
    let bytes = 0
    const inbox = this.#openInbox(envelope, reply => {
      if (replies.length >= MAX_REPLIES || bytes + reply.message.length > MAX_REPLY_BYTES) return
      bytes += reply.message.length
      replies.push(reply)
    })
    try {
      await this.#deps.network.publish(envelope.options.topic, encodeEnvelope(envelope))
      await ended(limit.signal)
      signal?.throwIfAborted()
      return replies
    } finally {
      inbox.unregister()
    }
  }

  async #forward(envelope: Envelope, host: PeerId, signal: AbortSignal): Promise<void> {
    const protocol = messageProtocol(envelope.to.address.inbox)
    await raceSignal(this.#deps.network.send(host, protocol, encodeEnvelope(envelope), { signal }), signal)
  }

  #unicastHost(envelope: Envelope): PeerId {
    const { host, inbox } = envelope.to.address
    if (envelope.options.topic !== '') throw invalid('broadcast message is not for one actor')
    if (envelope.to.id === '' || host === '' || inbox === '') throw invalid('message names no destination')
    this.#check(envelope)
    return host
  }

  /** A message nobody would take is told to its author at once, who would else wait for nothing. */
  #check(envelope: Envelope): void {
    const { network, clock } = this.#deps
    const { host } = envelope.from.address
    if (host !== network.peerId)
      throw invalid(`message comes from host '${host}', expected '${network.peerId}'`)
    const nowNs = clock.nowNs()
    const expiry = checkExpiry(envelope, nowNs)
    const verdict = expiry.ok ? verifyEnvelope(envelope, nowNs) : expiry
    if (!verdict.ok) throw invalid(verdict.error.message)
  }

  #deadline(envelope: Envelope, parent: AbortSignal | undefined) {
    const leftMs = Math.ceil(Number(envelope.options.expiresAtNs - this.#deps.clock.nowNs()) / 1e6)
    return deadline(this.#deps.clock, leftMs, `'${envelope.behavior}'`, parent)
  }

  #openInbox(request: Envelope, take: (reply: Envelope) => void): Registration {
    const { inbox } = request.from.address
    if (inbox === '' || inbox === ROOT_INBOX) throw invalid(`replies cannot go to inbox '${inbox}'`)
    if (request.options.replyTo === '') throw invalid('message asks for no reply')
    try {
      return this.#deps.network.handleMessages(messageProtocol(inbox), (bytes, peer) => {
        const reply = readReply(bytes, peer, request, this.#deps.clock.nowNs())
        if (reply.ok) take(reply.value)
        else
          this.#deps.log.debug('reply dropped', { code: reply.error.code, reason: reply.error.message, peer })
      })
    } catch (cause) {
      if (errorCode(cause) !== 'NETWORK_PROTOCOL_TAKEN') throw cause
      throw new ActorError('ACTOR_INBOX_TAKEN', `a call waits at inbox '${inbox}' already`, {
        cause,
        hint: 'use a fresh inbox'
      })
    }
  }
}

/** A reply is taken when it is signed, fresh, addressed to the caller, and comes from the host that was asked. */
function readReply(bytes: Uint8Array, peer: PeerId, request: Envelope, nowNs: bigint): Result<Envelope> {
  const decoded = decodeEnvelope(bytes)
  if (!decoded.ok) return decoded
  const reply = decoded.value
  const reason = mismatch(reply, peer, request)
  if (reason) return refuse(reason)
  const verdict = verifyEnvelope(reply, nowNs)
  return verdict.ok ? ok(reply) : verdict
}

function mismatch(reply: Envelope, peer: PeerId, request: Envelope): Refusal | undefined {
  if (!handlesEqual(reply.to, request.from))
    return refusal('ACTOR_NOT_ADDRESSED', 'reply is for another actor')
  if (reply.behavior !== request.options.replyTo)
    return refusal('ACTOR_NOT_ADDRESSED', `reply is for '${reply.behavior}'`)
  if (reply.from.address.host !== peer)
    return refusal('ACTOR_HOST_FORGED', `reply names host '${reply.from.address.host}'`)
  if (request.options.topic === '' && reply.from.id !== request.to.id) {
    return refusal('ACTOR_NOT_ASKED', 'reply comes from an actor that was not asked')
  }
  return undefined
}

async function ended(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  if (signal.aborted) resolve()
  await promise
}

function invalid(message: string): ActorError {
  return new ActorError('ACTOR_MESSAGE_INVALID', message)
}
