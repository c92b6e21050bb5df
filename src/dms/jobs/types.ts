/** Collaborators and options of the provider. */

import type { Behavior, ChildActor } from '../../actor/index.ts'
import type { Database } from '../../db/index.ts'
import type { Executor } from '../../executor/index.ts'
import type { Clock, Handle, Logger, PeerId, RandomSource } from '../../types/index.ts'
import type { LocationSpec } from '../ensemble/index.ts'
import type { Grant } from '../grants/index.ts'
import type { OnboardingStatus } from '../onboarding/index.ts'
import type { PortAllocator, ResourceManager } from '../resources/index.ts'

/** A dynamic grant (identity-and-actors §11.3): a token the node puts into its own require anchors. */
export interface GrantRequest {
  /** Who may call: the DID in this handle. */
  readonly subject: Handle
  /** Who may be called: the node, or an allocation actor. */
  readonly audience: Handle
  readonly capabilities: readonly string[]
}

/** Part of a file; nothing and size 0 for a file that is not there. */
export interface FileRange {
  readonly data: Uint8Array
  readonly totalBytes: number
}

/** The results directories. Paths are absolute. */
export interface JobFiles {
  /** With its parents, mode 0700. */
  makeDirectory(path: string): Promise<void>
  /** With all that is in it; a missing one is no error. */
  removeDirectory(path: string): Promise<void>
  /** Over what is there; nothing happens when `from` is missing. */
  rename(from: string, to: string): Promise<void>
  readRange(path: string, offset: number, maxBytes: number): Promise<FileRange>
}

/** An HTTP GET for health checks. Rejects when there is no answer. */
export type HttpGet = (
  request: { readonly port: number; readonly path: string; readonly maxBytes: number },
  options: { signal: AbortSignal }
) => Promise<{ readonly status: number; readonly body: string }>

/** What a provider works with. */
export interface ProviderDeps {
  readonly db: Pick<Database, 'reservations' | 'allocations' | 'transaction'>
  readonly resources: ResourceManager
  readonly ports: PortAllocator
  readonly onboarding: { status(): OnboardingStatus }
  /** By the type written in ensemble files. */
  readonly executors: ReadonlyMap<string, Executor>
  /** Makes a child actor of the node; with `key`, the one it had before a restart. */
  readonly createAllocationActor: (inbox: string, key?: Uint8Array) => Promise<ChildActor>
  /** Registers a behaviour on the node's own actor. */
  readonly addNodeBehavior: <Request, Reply>(behavior: Behavior<Request, Reply>) => () => void
  /** Keeps a grant in force until it is revoked. */
  readonly grant: (request: GrantRequest) => Promise<Grant> | Grant
  readonly peerId: PeerId
  readonly nodeHandle: Handle
  readonly location: LocationSpec
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
  /** Default: the disk. */
  readonly files?: JobFiles
  /** Default: over TCP to this machine. */
  readonly httpGet?: HttpGet
}

/** Settings of a provider; only the work directory has no default. */
export interface ProviderOptions {
  /** Results go to `<workDirectory>/jobs/<allocation id>`. */
  readonly workDirectory: string
  /** Whether docker workloads may run privileged. Default false. */
  readonly allowPrivilegedDocker?: boolean
  /** Default `COMMIT_TTL_MS`. */
  readonly commitTtlMs?: number
  /** Default `STOP_GRACE_MS`. */
  readonly stopGraceMs?: number
  /** Default `START_LIMIT_MS`. */
  readonly startLimitMs?: number
  /** Default `LOG_RETENTION_MS`. */
  readonly logRetentionMs?: number
}
