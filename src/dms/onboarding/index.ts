/**
 * What the owner of a machine offers to others: onboarding, its limits, and the check at each start.
 *
 * @packageDocumentation
 */
export {
  MAX_DISK_SHARE,
  MAX_MEMORY_SHARE,
  MIN_DISK_BYTES,
  MIN_MEMORY_SHARE,
  VALIDATION_PREFIX
} from './constants.ts'
export { Onboarding } from './onboarding.ts'
export type { OnboardingDeps, OnboardingStatus } from './types.ts'
