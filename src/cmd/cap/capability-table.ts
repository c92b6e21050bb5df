/** The capabilities a node checks, from which `nunet cap help-caps` and the judgement of `nunet cap lint` are made. */

import type { Capability } from '../../lib/ucan/index.ts'

/** For whom a capability is meant. */
export type Reach =
  /** Other members of a network: it lets them deal with this node, not command it. */
  | 'member'
  /** Who owns the machine. */
  | 'owner'
  /** Nobody by hand: nodes grant it to each other for as long as a deployment lives. */
  | 'granted'

/** One name with all that is below it. */
export interface CapabilityRow {
  readonly name: Capability
  readonly reach: Reach
  /** Topic whose broadcasts need it as well. */
  readonly topic?: Capability
  readonly allows: string
}

export const CAPABILITIES: readonly CapabilityRow[] = [
  { name: '/', reach: 'owner', allows: 'everything' },
  { name: '/public', reach: 'member', allows: 'greet the node, see its hardware, ask for revocations' },
  {
    name: '/broadcast',
    reach: 'member',
    topic: '/nunet',
    allows: 'be heard by all members: greetings, revocations'
  },
  {
    name: '/dms/deployment',
    reach: 'member',
    topic: '/nunet/deployment',
    allows: 'deploy workloads on the node, and answer its own requests with bids'
  },
  { name: '/dms/node', reach: 'owner', allows: 'run the node as its owner does' },
  { name: '/dms/node/deployment', reach: 'owner', allows: 'start, watch and stop deployments of the node' },
  { name: '/dms/node/onboarding', reach: 'owner', allows: 'offer hardware to others, and take it back' },
  { name: '/dms/node/peers', reach: 'owner', allows: 'see and make connections' },
  { name: '/dms/node/resources', reach: 'owner', allows: 'see what is offered, reserved and free' },
  { name: '/dms/node/hardware', reach: 'owner', allows: 'see what the machine has and uses' },
  { name: '/dms/node/allocations', reach: 'owner', allows: 'see the workloads on the machine' },
  { name: '/dms/node/logger', reach: 'owner', allows: 'change what the node writes to its log' },
  { name: '/dms/cap', reach: 'owner', allows: 'change whom the node trusts: as much as everything' },
  { name: '/dms/ensemble', reach: 'granted', allows: 'control the allocations of one deployment' },
  { name: '/dms/allocation', reach: 'granted', allows: 'start and stop one allocation' },
  { name: '/dms/orchestrator', reach: 'granted', allows: 'tell an orchestrator how its workloads are' },
  { name: '/dms/actor', reach: 'granted', allows: 'check the health of an actor' }
]

/** Behaviours whose holder can give itself every other capability. */
export const TAKES_OVER: readonly Capability[] = [
  '/dms/cap/anchor',
  '/dms/cap/root/anchor',
  '/dms/cap/require/anchor'
]
