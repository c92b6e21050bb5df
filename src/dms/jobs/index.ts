/**
 * The provider side of a deployment: whether to bid, what is committed, and the allocations that run here.
 *
 * @example
 * ```ts
 * const provider = new Provider({ db, resources, ports, onboarding, executors, … }, { workDirectory: '/home/me/.nunet' })
 * await provider.start() // adopts what an earlier run left
 * const bid = await provider.decideBid(request, from)
 * ```
 *
 * @packageDocumentation
 */
export type { BidDecision } from './bidding.ts'
export { COMMIT_TTL_MS, LOG_RETENTION_MS, MAX_ALTERNATIVES } from './constants.ts'
export type { LogsRequest } from './ensemble-service.ts'
export { JobsError, type JobsErrorCode } from './errors.ts'
export { createDiskJobFiles, createStoredJobFiles } from './job-files.ts'
export type { ListedAllocation } from './listing.ts'
export { satisfiesLocation } from './location.ts'
export {
  type AllocateRequest,
  type AllocationRequest,
  type AllocationStatusReply,
  allocateReplySchema,
  allocateRequestSchema,
  allocationEventSchema,
  allocationIdSchema,
  allocationRequestSchema,
  allocationStatusSchema,
  BEHAVIORS,
  BID_TOPIC,
  type BidEntry,
  type BidRequest,
  bidRequestSchema,
  type CommitRequest,
  commitReplySchema,
  commitRequestSchema,
  dnsRecordsSchema,
  ensembleBehaviors,
  executionErrorSchema,
  logsReplySchema,
  logsRequestSchema,
  MAX_ALLOCATIONS_PER_NODE,
  MAX_NODES,
  type OkReply,
  okReplySchema,
  refusalSchema,
  resourcesSchema,
  revertRequestSchema,
  type StartRequest,
  startRequestSchema,
  type TaskTermination,
  taskTerminationSchema,
  type WireRefusal
} from './messages.ts'
export { Provider, type RevertRequest } from './provider.ts'
export type { Answer } from './replies.ts'
export type { FileRange, GrantRequest, HttpGet, JobFiles, ProviderDeps, ProviderOptions } from './types.ts'
