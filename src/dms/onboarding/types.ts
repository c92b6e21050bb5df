import type { OnboardingRepository } from '../../db/index.ts'
import type { Hardware } from '../../hardware/index.ts'
import type { Clock, Logger, Resources } from '../../types/index.ts'

/** What onboarding works with. */
export interface OnboardingDeps {
  readonly repository: OnboardingRepository
  readonly hardware: Hardware
  /** The pool: what is taken may not be withdrawn. */
  readonly resources: { allocated(): Resources; committed(): Resources }
  readonly clock: Clock
  readonly log: Logger
}

/** Whether the machine is onboarded, and with what. */
export interface OnboardingStatus {
  readonly onboarded: boolean
  readonly resources?: Resources
  readonly onboardedAtMs?: number
}
