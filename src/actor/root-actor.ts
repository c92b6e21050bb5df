/** The node's own actor (identity-and-actors §8.1): key of the network host, inbox `root`. */

import type { PrivateKey } from '../lib/crypto/index.ts'
import { ROOT_INBOX } from './constants.ts'
import { MessageLimiter } from './limiter.ts'
import { LocalActor } from './local-actor.ts'
import type { ActorSystem } from './system.ts'
import type { RootActor, RootActorOptions } from './types.ts'

/** Collaborators of a root actor; its children share all but the key. */
export interface RootActorDeps extends Omit<ActorSystem, 'limiter'> {
  /** Key of the network host. */
  readonly privateKey: PrivateKey
}

/** Makes the root actor of a node and with it the limits its children share. Nothing is heard before `start`. */
export function createRootActor(deps: RootActorDeps, options: RootActorOptions = {}): RootActor {
  const { privateKey, network, context, clock, random } = deps
  const log = deps.log.child({ component: 'actor' })
  const system: ActorSystem = {
    network,
    context,
    clock,
    random,
    log,
    limiter: new MessageLimiter(options.limits)
  }
  return new LocalActor(system, { inbox: ROOT_INBOX, privateKey })
}
