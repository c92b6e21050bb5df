/** What supervision watches and what it tells. */

import type { Handle } from '../../types/index.ts'
import type { AllocationRecovery, AllocationType, HealthCheckSpec } from '../ensemble/index.ts'

/** One allocation under watch. */
export interface WatchedAllocation {
  /** Manifest key, `<node>.<allocation>`. */
  readonly key: string
  readonly id: string
  readonly type: AllocationType
  /** The allocation actor. */
  readonly handle: Handle
  /** The provider node's root actor. */
  readonly provider: Handle
  readonly healthCheck: HealthCheckSpec | undefined
  readonly recovery: AllocationRecovery
}

/** What is known of an allocation now. `unknown`: its provider does not answer. */
export interface AllocationReport {
  readonly status: string
  readonly exitCode: number | undefined
  /** Why it is in this state, one line; empty when all is well. */
  readonly reason: string
}
