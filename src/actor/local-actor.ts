/**
 * An actor of this process: its key, its inbox, and the three ways it speaks, `invoke`, `send` and `broadcast`.
 * What it hears goes to its dispatcher. Children share network, limits and capability context with it and are
 * stopped with it (identity-and-actors §9.6).
 */

import { actorIdOf, generateKey, type PrivateKey, privateKeyFromProtobuf } from '../lib/crypto/index.ts'
import type { Registration } from '../network/index.ts'
import type { Handle, Refusal, Result, Startable } from '../types/index.ts'
import {
  deadline,
  errorCode,
  errorMessage,
  NuError,
  ok,
  raceSignal,
  refusal,
  refuse
} from '../utils/index.ts'
import { BehaviorTable, bindBehavior } from './behaviors.ts'
import { BroadcastReplies } from './broadcast-replies.ts'
import { MESSAGE_LIFE_MS, REPLY_PREFIX } from './constants.ts'
import { Dispatcher } from './dispatch/dispatcher.ts'
import { ActorError } from './errors.ts'
import { checkInbox } from './message/handle.ts'
import { decodePayload, formatHandle, messageProtocol, readRefusalReply } from './message/index.ts'
import { Outbox } from './outbox.ts'
import { PendingReplies } from './pending-replies.ts'
import type { ActorSystem, LocalHandle } from './system.ts'
import { TopicSubscriptions } from './topics.ts'
import type { Behavior, ChildActor, Envelope, InvokeOptions, Reply } from './types.ts'

export interface LocalActorOptions {
  readonly inbox: string
  readonly privateKey: PrivateKey
  /** Called once, when it has stopped. */
  readonly onStopped?: (actor: LocalActor) => void
}

export class LocalActor implements ChildActor, Startable {
  readonly handle: LocalHandle
  readonly #system: ActorSystem
  readonly #options: LocalActorOptions
  readonly #behaviors = new BehaviorTable()
  readonly #replies = new PendingReplies()
  readonly #outbox: Outbox
  readonly #dispatcher: Dispatcher
  readonly #topics: TopicSubscriptions
  readonly #children = new Set<LocalActor>()
  readonly #life = new AbortController()
  #registration: Registration | undefined
  #stopping: Promise<void> | undefined

  constructor(system: ActorSystem, options: LocalActorOptions) {
    this.#system = system
    this.#options = options
    this.handle = {
      id: actorIdOf(options.privateKey.publicKey),
      did: system.context.owner,
      address: { host: system.network.peerId, inbox: options.inbox }
    }
    this.#outbox = new Outbox(system, this.handle, options.privateKey)
    this.#dispatcher = new Dispatcher({
      system,
      self: this.handle,
      behaviors: this.#behaviors,
      replies: this.#replies,
      outbox: this.#outbox,
      signal: this.#life.signal
    })
    this.#topics = new TopicSubscriptions(system, (bytes, peer) =>
      this.#dispatcher.offerBroadcast(bytes, peer)
    )
  }

  /** @throws ActorError `ACTOR_INBOX_TAKEN`, `ACTOR_NOT_RUNNING` after a stop. */
  async start(): Promise<void> {
    if (this.#life.signal.aborted) throw notRunning()
    if (this.#registration) return
    const { network } = this.#system
    const { inbox } = this.handle.address
    try {
      this.#registration = network.handleMessages(messageProtocol(inbox), (bytes, peer) =>
        this.#dispatcher.offerUnicast(bytes, peer)
      )
    } catch (cause) {
      if (errorCode(cause) !== 'NETWORK_PROTOCOL_TAKEN') throw cause
      throw new ActorError('ACTOR_INBOX_TAKEN', `inbox '${inbox}' is in use`, {
        cause,
        hint: 'stop the other actor first'
      })
    }
    this.#topics.open()
    this.#dispatcher.start()
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#shutDown()
    await this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  addBehavior<Request, Reply>(behavior: Behavior<Request, Reply>): () => void {
    const bound = bindBehavior(behavior)
    const remove = this.#behaviors.add(bound)
    const leave = bound.topic === undefined ? undefined : this.#topics.add(bound.topic)
    return () => {
      remove()
      leave?.()
    }
  }

  async invoke(
    to: Handle,
    behavior: string,
    payload: unknown,
    options: InvokeOptions = {}
  ): Promise<Result<Reply>> {
    options.signal?.throwIfAborted()
    if (!this.#isRunning()) return refuse(notRunningRefusal())
    if (to.id === '')
      return refuse(refusal('ACTOR_UNREACHABLE', `'${behavior}' needs one actor to ask, not everyone`))
    if (this.#replies.isFull) return refuse(refusal('ACTOR_BUSY', 'too many calls wait for their replies'))
    const replyTo = options.replyTo ?? `${REPLY_PREFIX}${this.#outbox.nextNonce()}`
    const answer = Promise.withResolvers<Envelope>()
    const stopWaiting = this.#replies.add({
      name: replyTo,
      from: to.id,
      deliver: envelope => {
        stopWaiting()
        answer.resolve(envelope)
      }
    })
    try {
      return await this.#underDeadline(options, behavior, to, async (signal, expiresAtNs, sent) => {
        await this.#outbox.send({ to, behavior, payload, expiresAtNs, replyTo }, signal)
        sent()
        return readReply(await raceSignal(answer.promise, signal), behavior, options.exact === true)
      })
    } finally {
      stopWaiting()
    }
  }

  async send(
    to: Handle,
    behavior: string,
    payload: unknown,
    options: InvokeOptions = {}
  ): Promise<Result<void>> {
    options.signal?.throwIfAborted()
    if (!this.#isRunning()) return refuse(notRunningRefusal())
    return await this.#underDeadline(options, behavior, to, async (signal, expiresAtNs) => {
      await this.#outbox.send({ to, behavior, payload, expiresAtNs }, signal)
      return ok(undefined)
    })
  }

  broadcast(
    topic: string,
    behavior: string,
    payload: unknown,
    options: InvokeOptions = {}
  ): AsyncIterable<Reply> {
    const replyTo = options.replyTo ?? `${REPLY_PREFIX}${this.#outbox.nextNonce()}`
    const { expiresAtNs, lifeMs } = this.#expiry(options)
    const abort = this.#joined(options.signal)
    const limit = deadline(this.#system.clock, lifeMs, `broadcast of '${behavior}'`, abort)
    let stopWaiting: (() => void) | undefined
    const replies = new BroadcastReplies({
      expiry: limit.signal,
      abort,
      close: () => {
        stopWaiting?.()
        limit[Symbol.dispose]()
      }
    })
    // Registered before anything is published: a reply may come back within the same turn of the event loop.
    if (!limit.signal.aborted) {
      stopWaiting = this.#replies.add({
        name: replyTo,
        from: undefined,
        deliver: envelope => replies.deliver(envelope)
      })
    }
    const publication = this.#isRunning()
      ? this.#outbox.publish({ topic, behavior, payload, expiresAtNs, replyTo }, limit.signal)
      : Promise.reject(notRunning())
    replies.follow(publication)
    return replies
  }

  /** @throws ActorError `ACTOR_INBOX_TAKEN`, `ACTOR_INBOX_INVALID`, `ACTOR_NOT_RUNNING`; CryptoError for a bad key. */
  async createChild({ inbox, privateKey }: { inbox: string; privateKey?: Uint8Array }): Promise<ChildActor> {
    if (!this.#isRunning()) throw notRunning()
    const child = new LocalActor(this.#system, {
      inbox: validInbox(inbox),
      privateKey: privateKey ? privateKeyFromProtobuf(privateKey) : generateKey(this.#system.random),
      onStopped: stopped => this.#children.delete(stopped)
    })
    await child.start()
    this.#children.add(child)
    return child
  }

  exportKey(): Uint8Array {
    return this.#options.privateKey.toProtobuf()
  }

  async #shutDown(): Promise<void> {
    this.#life.abort(notRunning())
    this.#registration?.unregister()
    this.#topics.close()
    await Promise.all([...this.#children].map(child => child.stop()))
    await this.#dispatcher.stopped()
    this.#behaviors.clear()
    this.#options.onStopped?.(this)
  }

  #isRunning(): boolean {
    return this.#registration !== undefined && !this.#life.signal.aborted
  }

  #expiry({ timeoutMs = MESSAGE_LIFE_MS }: InvokeOptions): { expiresAtNs: bigint; lifeMs: number } {
    const lifeMs = Math.max(0, Math.ceil(timeoutMs))
    return { lifeMs, expiresAtNs: this.#system.clock.nowNs() + BigInt(lifeMs) * 1_000_000n }
  }

  #joined(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#life.signal]) : this.#life.signal
  }

  /** Runs a call within its message's life and turns what ended it into a refusal. */
  async #underDeadline<T>(
    options: InvokeOptions,
    behavior: string,
    to: Handle,
    call: (signal: AbortSignal, expiresAtNs: bigint, sent: () => void) => Promise<Result<T>>
  ): Promise<Result<T>> {
    const { expiresAtNs, lifeMs } = this.#expiry(options)
    using limit = deadline(this.#system.clock, lifeMs, `'${behavior}'`, this.#joined(options.signal))
    let isSent = false
    try {
      return await call(limit.signal, expiresAtNs, () => {
        isSent = true
      })
    } catch (error) {
      options.signal?.throwIfAborted()
      if (this.#life.signal.aborted) return refuse(notRunningRefusal())
      if (limit.signal.aborted && isSent) return refuse(noReply(to, behavior, lifeMs))
      if (error instanceof NuError) return refuse(unreachable(to, behavior, error))
      throw error
    }
  }
}

function readReply(envelope: Envelope, behavior: string, exact: boolean): Result<Reply> {
  const payload = decodePayload(envelope.message, { exact })
  if (!payload.ok) return refuse(refusal('ACTOR_REPLY_MALFORMED', `reply to '${behavior}' is not JSON`))
  const reason = readRefusalReply(payload.value)
  if (reason === undefined) return ok({ from: envelope.from, payload: payload.value })
  const message = `'${formatHandle(envelope.from)}' refused '${behavior}'`
  return refuse(refusal('ACTOR_REFUSED', message, { causes: [reason] }))
}

function noReply(to: Handle, behavior: string, lifeMs: number): Refusal {
  const message = `no reply from '${formatHandle(to)}' to '${behavior}' within ${lifeMs} ms: it is busy or gone, or does not know us`
  return refusal('ACTOR_NO_REPLY', message, {
    details: { behavior, peer: to.address.host, timeoutMs: lifeMs }
  })
}

function unreachable(to: Handle, behavior: string, error: NuError): Refusal {
  return refusal('ACTOR_UNREACHABLE', `could not send '${behavior}' to '${formatHandle(to)}'`, {
    details: { behavior, peer: to.address.host },
    causes: [refusal(error.code, error.message)]
  })
}

function notRunning(): ActorError {
  return new ActorError('ACTOR_NOT_RUNNING', 'actor is not running')
}

function notRunningRefusal(): Refusal {
  return refusal('ACTOR_NOT_RUNNING', 'actor is not running')
}

function validInbox(inbox: string): string {
  if (inbox === '') throw new ActorError('ACTOR_INBOX_INVALID', 'inbox is empty')
  try {
    return checkInbox(inbox)
  } catch (cause) {
    throw new ActorError('ACTOR_INBOX_INVALID', errorMessage(cause), { cause })
  }
}
