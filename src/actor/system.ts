import type { CapabilityContext } from '../lib/ucan/index.ts'
import type { Network } from '../network/index.ts'
import type { ActorId, Clock, Handle, Logger, RandomSource } from '../types/index.ts'
import type { MessageLimiter } from './limiter.ts'

/** What the actors of one node share (identity-and-actors §9.6). */
export interface ActorSystem {
  readonly network: Pick<Network, 'peerId' | 'handleMessages' | 'send' | 'publish' | 'subscribe'>
  readonly context: CapabilityContext
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  readonly limiter: MessageLimiter
}

/** Handle of an actor of this process: it always has a key. */
export interface LocalHandle extends Handle {
  readonly id: ActorId
}
