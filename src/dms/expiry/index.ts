/**
 * When what a node may do, and lets others do, comes to an end: announced long before, and never shown as healthy.
 *
 * @packageDocumentation
 */
export { endingsOf, endOf } from './coverage.ts'
export { ExpiryWatch, type ExpiryWatchDeps, type ExpiryWatchOptions } from './expiry-watch.ts'
export { announcement, effectOf, renewalOf, showLeft } from './renewal.ts'
export { stepsPassed } from './steps.ts'
export type {
  AnchorRole,
  CapabilityHealth,
  Ending,
  HealthIssue,
  HealthStatus,
  RenewalStep,
  StaticAnchors
} from './types.ts'
