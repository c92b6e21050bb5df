/**
 * The orchestrator: turns an ensemble into running allocations on the machines of others and keeps them.
 *
 * @packageDocumentation
 */
export {
  type Bid,
  type BidAnswer,
  type BidEra,
  type Decline,
  readBidAnswer,
  readHandle,
  writeBid,
  writeDecline
} from './bid.ts'
export { locationAccepted } from './bid-collector.ts'
export { judgeWindow, type WindowFacts, type WindowVerdict } from './bid-window.ts'
export { DEADLINE_MARGIN_MS, MAX_EVENT_WAIT_MS, MIN_DEPLOYMENT_MS } from './constants.ts'
export { Deployment } from './deployment.ts'
export { DeploymentError, type DeploymentErrorCode } from './errors.ts'
export type { LogChunk, LogRequest } from './log-store.ts'
export { type Manifest, type ManifestAllocation, type ManifestNode, manifestSchema } from './manifest.ts'
export {
  type EventQuery,
  Orchestrator,
  type OrchestratorDeps,
  type OrchestratorOptions
} from './orchestrator.ts'
export { type Assignment, type BidsByNode, findAssignment } from './search.ts'
export { ACTIVE_STATUSES, checkTransition, IllegalTransitionError, isActive, TRANSITIONS } from './states.ts'
