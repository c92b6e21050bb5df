/**
 * The way of a message through an actor: decode, bound, queue, verify, authorise, read the payload, run, reply
 * (identity-and-actors §9). Checks are made one message after another, handlers run side by side. Whatever fails is
 * dropped with one debug line; only a caller that is known here hears why.
 */

import type { PeerId, Refusal, Result } from '../../types/index.ts'
import { errorMessage, ok, refusal, refuse } from '../../utils/index.ts'
import type { BehaviorTable, BoundBehavior, Problem } from '../behaviors.ts'
import type { Permit } from '../limiter.ts'
import {
  decodeEnvelope,
  encodePayload,
  handlesEqual,
  refusalReply,
  verifyEnvelope
} from '../message/index.ts'
import type { Outbox } from '../outbox.ts'
import type { PendingReplies, PendingReply } from '../pending-replies.ts'
import { ReplayGuard } from '../replay-guard.ts'
import type { ActorSystem, LocalHandle } from '../system.ts'
import type { Arrival, Envelope } from '../types.ts'
import { authorize, type Verdict } from './authorize.ts'
import { checkBroadcast, checkExpiry, checkUnicast } from './bound.ts'
import { Intake } from './intake.ts'
import { sendReply } from './reply.ts'
import { runBehavior } from './run.ts'
import { WaitingForKeys } from './waiting.ts'

export interface DispatcherDeps {
  readonly system: ActorSystem
  readonly self: LocalHandle
  readonly behaviors: BehaviorTable
  readonly replies: PendingReplies
  readonly outbox: Outbox
  /** Fires when the actor stops. */
  readonly signal: AbortSignal
}

/** Who takes a message: someone who waits for it, a behaviour, or nobody. */
type Route =
  | { readonly kind: 'reply'; readonly pending: PendingReply }
  | { readonly kind: 'behavior'; readonly behavior: BoundBehavior }
  | { readonly kind: 'unknown' }

export class Dispatcher {
  readonly #deps: DispatcherDeps
  readonly #intake = new Intake()
  readonly #seen = new ReplayGuard()
  readonly #running = new Set<Promise<void>>()
  readonly #waiting: WaitingForKeys
  #worker: Promise<void> | undefined

  constructor(deps: DispatcherDeps) {
    this.#deps = deps
    this.#waiting = new WaitingForKeys(deps.system.clock, deps.signal)
  }

  start(): void {
    this.#worker ??= this.#work()
  }

  /** Resolves when the worker and all handlers have ended; the signal must have fired before. */
  async stopped(): Promise<void> {
    await this.#worker
    await this.#waiting.stopped()
    await Promise.all(this.#running)
  }

  /** Takes a message that came over a stream (§9.1). */
  offerUnicast(bytes: Uint8Array, peer: PeerId): void {
    const { system, self } = this.#deps
    this.#offer(bytes, peer, envelope => checkUnicast(envelope, peer, self, system.clock.nowNs()))
  }

  /** Takes a broadcast the validator accepted (§9.2); our own ones come back to us and are passed over. */
  offerBroadcast(bytes: Uint8Array, peer: PeerId): void {
    const { system, self } = this.#deps
    this.#offer(bytes, peer, envelope =>
      handlesEqual(envelope.from, self)
        ? refuse(refusal('ACTOR_OWN_BROADCAST', 'own broadcast'))
        : checkBroadcast(envelope, system.clock.nowNs())
    )
  }

  #offer(bytes: Uint8Array, peer: PeerId, check: (envelope: Envelope) => Result<void>): void {
    const decoded = decodeEnvelope(bytes)
    if (!decoded.ok) {
      this.#logDrop(decoded.error, peer)
      return
    }
    const envelope = decoded.value
    const bounds = check(envelope)
    const entry = bounds.ok ? this.#enqueue({ envelope, peer }) : bounds
    if (!entry.ok) this.#logDrop(entry.error, peer, envelope)
  }

  #enqueue(arrival: Arrival): Result<void> {
    const { envelope, peer } = arrival
    const route = this.#route(envelope)
    if (route.kind === 'unknown' && envelope.options.replyTo === '') {
      return refuse(refusal('ACTOR_BEHAVIOR_UNKNOWN', 'nobody waits for it'))
    }
    if (route.kind !== 'reply' && !this.#deps.system.limiter.allows(envelope, peer)) return refuse(busy())
    return this.#intake.offer(arrival) ? ok(undefined) : refuse(refusal('ACTOR_BUSY', 'queue is full'))
  }

  async #work(): Promise<void> {
    const { signal } = this.#deps
    while (!signal.aborted) {
      const arrival = await this.#intake.take({ signal }).catch(() => undefined) // rejects at stop only
      if (arrival === undefined) return
      this.#attempt(arrival, () => this.#verify(arrival))
    }
  }

  #attempt({ envelope, peer }: Arrival, step: () => Result<void>): void {
    try {
      const verdict = step()
      if (!verdict.ok) this.#logDrop(verdict.error, peer, envelope)
    } catch (error) {
      this.#deps.system.log.error('message could not be handled', { error: errorMessage(error) })
    }
  }

  #route(envelope: Envelope): Route {
    const pending = envelope.options.topic === '' ? this.#deps.replies.find(envelope) : undefined
    if (pending) return { kind: 'reply', pending }
    const behavior = this.#deps.behaviors.find(envelope.behavior)
    return behavior ? { kind: 'behavior', behavior } : { kind: 'unknown' }
  }

  /** Checks the sender's signature, and sets the message apart when keys must be looked up to check its tokens. */
  #verify(arrival: Arrival): Result<void> {
    const { system } = this.#deps
    const { envelope } = arrival
    const signature = verifyEnvelope(envelope, system.clock.nowNs())
    if (!signature.ok) return signature
    const lookUp = system.context.lookupsFor(envelope.capabilities)
    if (lookUp === undefined) return this.#dispatch(arrival)
    const resume = (): void => this.#attempt(arrival, () => this.#dispatch(arrival))
    return this.#waiting.add(arrival, lookUp, resume) ? ok(undefined) : refuse(busy())
  }

  /** Expects a message whose signature was verified, maybe a while ago. */
  #dispatch({ envelope, peer }: Arrival): Result<void> {
    const { system, self } = this.#deps
    const nowNs = system.clock.nowNs()
    const expiry = checkExpiry(envelope, nowNs)
    if (!expiry.ok) return expiry
    if (this.#seen.isRepeated(envelope, nowNs)) return refuse(refusal('ACTOR_REPLAYED', 'seen before'))
    const route = this.#route(envelope)
    const { capabilities, topic } =
      route.kind === 'behavior' ? route.behavior : { capabilities: [envelope.behavior], topic: undefined }
    const verdict = authorize(system.context, envelope, self.id, { capabilities, topic })
    if (verdict.isKnown) this.#seen.record(envelope, nowNs)
    if (!verdict.result.ok) return this.#explain(envelope, peer, verdict, verdict.result.error)
    if (route.kind === 'unknown') return this.#explain(envelope, peer, verdict, unknownBehavior(envelope))
    if (route.kind === 'behavior') return this.#run(envelope, peer, verdict, route.behavior)
    verdict.tokens?.release()
    route.pending.deliver(envelope)
    return ok(undefined)
  }

  #run(envelope: Envelope, peer: PeerId, verdict: Verdict, behavior: BoundBehavior): Result<void> {
    const { system } = this.#deps
    return this.#inBackground(envelope, peer, verdict, async signal => {
      const outcome = await runBehavior(behavior, envelope, {
        clock: system.clock,
        signal,
        proof: verdict.tokens?.proof
      })
      if (signal.aborted) return
      if (outcome.problem) this.#logProblem(behavior, outcome.problem)
      await sendReply(this.#deps.outbox, envelope, outcome.reply, verdict.tokens, signal)
    })
  }

  /** A caller we know hears why; a stranger hears nothing, and nobody is told by way of a broadcast. */
  #explain(envelope: Envelope, peer: PeerId, verdict: Verdict, reason: Refusal): Result<void> {
    if (!verdict.isKnown || envelope.options.topic !== '' || envelope.options.replyTo === '') {
      verdict.tokens?.release()
      return refuse(reason)
    }
    const started = this.#inBackground(envelope, peer, verdict, signal =>
      sendReply(this.#deps.outbox, envelope, encodePayload(refusalReply(reason)), verdict.tokens, signal)
    )
    return started.ok ? refuse(reason) : started
  }

  /** Starts work on one message that holds a permit and the message's tokens until it ends. */
  #inBackground(
    envelope: Envelope,
    peer: PeerId,
    verdict: Verdict,
    work: (signal: AbortSignal) => Promise<void>
  ): Result<void> {
    const { system, signal } = this.#deps
    const permit = system.limiter.acquire(envelope, peer)
    if (permit === undefined) {
      verdict.tokens?.release()
      return refuse(busy())
    }
    const task = this.#settle(work(signal), permit, verdict, envelope.behavior)
    this.#running.add(task)
    void task.then(() => this.#running.delete(task))
    return ok(undefined)
  }

  async #settle(work: Promise<void>, permit: Permit, verdict: Verdict, behavior: string): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#deps.system.log.debug('reply could not be sent', { behavior, error: errorMessage(error) })
    } finally {
      verdict.tokens?.release()
      permit()
    }
  }

  #logProblem(behavior: BoundBehavior, problem: Problem): void {
    const { log } = this.#deps.system
    if (problem.refusal)
      log.debug('payload did not fit', { behavior: behavior.path, reason: problem.refusal.message })
    else log.warn('behaviour failed', { behavior: behavior.path, error: errorMessage(problem.error) })
  }

  #logDrop(reason: Refusal, peer: PeerId, envelope?: Envelope): void {
    const fields = { code: reason.code, reason: reason.message, peer, inbox: this.#deps.self.address.inbox }
    this.#deps.system.log.debug(
      'message dropped',
      envelope ? { ...fields, behavior: envelope.behavior } : fields
    )
  }
}

function busy(): Refusal {
  return refusal('ACTOR_BUSY', 'too many handlers are running')
}

function unknownBehavior(envelope: Envelope): Refusal {
  return refusal('ACTOR_BEHAVIOR_UNKNOWN', `there is no behaviour '${envelope.behavior}' here`)
}
