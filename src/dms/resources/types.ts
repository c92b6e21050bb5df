/** Contracts and value types of the resource pool and the port range. */

import type { OnboardingRepository, ReservationRecord, ReservationRepository } from '../../db/index.ts'
import type { Clock, Logger } from '../../types/index.ts'

/** Result of comparing what one has (left) with what is asked (right), deployment §4.2. `None`: not comparable. */
export type Comparison = 'Better' | 'Worse' | 'Equal' | 'None'

/** A claim to be committed: a reservation without what the manager decides itself. */
export interface Claim
  extends Pick<
    ReservationRecord,
    'allocationId' | 'ensembleId' | 'nodeId' | 'owner' | 'resources' | 'ports'
  > {
  /** Until when the claim holds unless it is allocated before; milliseconds since the Unix epoch. */
  readonly expiresAtMs: number
}

/** What the pool works with. */
export interface ResourceManagerDeps {
  readonly reservations: ReservationRepository
  readonly onboarding: Pick<OnboardingRepository, 'get'>
  readonly clock: Clock
  readonly log: Logger
}

/** Settings of the pool. */
export interface ResourceManagerOptions {
  /** Time between two sweeps of expired commits. Default `SWEEP_MS`. */
  sweepMs?: number
}

/** What the port allocator works with. */
export interface PortAllocatorDeps {
  readonly reservations: Pick<ReservationRepository, 'list'>
  /** Whether nobody on the host listens on the port now. `isHostPortFree` in production. */
  readonly isPortFree: (port: number) => Promise<boolean>
}

/** Host ports a workload may publish, both ends included. */
export interface PortRange {
  readonly from: number
  readonly to: number
}

/** Host ports a workload asks for. */
export interface PortDemand {
  /** Exactly these ports. */
  readonly static: readonly number[]
  /** This many ports of the allocator's choice. */
  readonly dynamic: number
}

/** Host ports that were found, in the order of the demand. */
export interface ChosenPorts {
  readonly static: readonly number[]
  readonly dynamic: readonly number[]
}
