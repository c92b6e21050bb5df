/**
 * Repositories: what the node must remember. Every call is one transaction; a value that was returned is on
 * disk (SQLite in WAL mode, `synchronous=FULL` for the writes that are acted upon). Calls are synchronous, as
 * `node:sqlite` is; none takes longer than a few milliseconds.
 */

import type { Handle, Refusal, Resources } from '../types/index.ts'

/** Times are milliseconds since the Unix epoch throughout. */
export interface OnboardingRecord {
  readonly resources: Resources
  readonly onboardedAtMs: number
}

/** The one onboarding record. */
export interface OnboardingRepository {
  get(): OnboardingRecord | undefined
  save(record: OnboardingRecord): void
  clear(): void
}

/** A claim on the free pool. `committed` ones end at `expiresAtMs`; `allocated` ones stay until released. */
export interface ReservationRecord {
  readonly allocationId: string
  readonly ensembleId: string
  readonly nodeId: string
  /** Peer id of the orchestrator that holds it. */
  readonly owner: string
  readonly state: 'committed' | 'allocated'
  readonly resources: Resources
  /** Host ports reserved with it. */
  readonly ports: readonly number[]
  readonly createdAtMs: number
  /** Absent for `allocated`. */
  readonly expiresAtMs?: number | undefined
}

/** The claims on the free pool. */
export interface ReservationRepository {
  get(allocationId: string): ReservationRecord | undefined
  list(): ReservationRecord[]
  listByEnsemble(ensembleId: string): ReservationRecord[]
  /** Adds all or none. @throws DatabaseError `DB_DUPLICATE` when one of the ids is taken. */
  insert(records: readonly ReservationRecord[]): void
  update(record: ReservationRecord): void
  /** Returns whether there was one. */
  delete(allocationId: string): boolean
}

/** Where an allocation is in its life. */
export type AllocationStatus =
  | 'pending'
  | 'starting'
  | 'running'
  | 'restarting'
  | 'stopped'
  | 'completed'
  | 'failed'
  | 'terminated'
  | 'standby'

/** Provider side: one allocation that lives, or lived, on this machine. */
export interface AllocationRecord {
  readonly id: string
  readonly ensembleId: string
  readonly nodeId: string
  readonly orchestrator: Handle
  readonly status: AllocationStatus
  /** The allocation as received in `/dms/deployment/allocate`, JSON-safe. */
  readonly spec: unknown
  /** Port mapping, hosts and addresses given at start, JSON-safe; needed for a restart. */
  readonly startOptions?: unknown
  /** libp2p protobuf of the allocation actor's key. Secret. */
  readonly actorKey: Uint8Array
  /** Handle of the current or last execution (`ExecutionHandle`), JSON-safe. */
  readonly execution?: unknown
  /** How it ended (`ExecutionResult`), JSON-safe. */
  readonly result?: unknown
  /** Whether the orchestrator confirmed that it learnt of the end. */
  readonly terminationReported: boolean
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly startedAtMs?: number | undefined
  readonly endedAtMs?: number | undefined
}

/** The allocations on this machine. */
export interface AllocationRepository {
  get(id: string): AllocationRecord | undefined
  list(): AllocationRecord[]
  listByEnsemble(ensembleId: string): AllocationRecord[]
  /** Inserts or replaces. */
  save(record: AllocationRecord): void
  delete(id: string): boolean
}

/** Numbers are the reference's database values (deployment §2.3); the text travels on the wire. */
export type DeploymentStatus =
  | 'Preparing'
  | 'Generating'
  | 'Committing'
  | 'Provisioning'
  | 'Running'
  | 'Failed'
  | 'ShuttingDown'
  | 'Completed'
  | 'Updating'

/** Orchestrator side: one deployment. */
export interface DeploymentRecord {
  readonly id: string
  readonly status: DeploymentStatus
  /** The ensemble, wire form (`{ v1: … }`), JSON-safe. */
  readonly ensemble: unknown
  /** The manifest, wire form, JSON-safe; absent before candidates are chosen. */
  readonly manifest?: unknown
  /** libp2p protobuf of the orchestrator actor's key. Secret. */
  readonly actorKey: Uint8Array
  /** DID of the user who asked for it. */
  readonly requestedBy: string
  readonly metadata: Readonly<Record<string, string>>
  /** Why it failed. */
  readonly error?: Refusal | undefined
  /** Until when an attempt to deploy may go on. */
  readonly deadlineMs: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly completedAtMs?: number | undefined
}

/** A search; all conditions must hold, and an absent or empty one holds always. */
export interface DeploymentQuery {
  readonly status?: readonly DeploymentStatus[]
  /** Each pair must be equal in the record's metadata. */
  readonly metadata?: Readonly<Record<string, string>>
  readonly createdAfterMs?: number
  readonly createdBeforeMs?: number
  readonly updatedAfterMs?: number
  readonly updatedBeforeMs?: number
  /** `created_at`, `updated_at`, `status`, `id`; a leading `-` means descending. Default `-created_at`. */
  readonly sort?: string
  /** 0 or absent: no limit. */
  readonly limit?: number
  readonly offset?: number
}

/** The deployments this node orchestrates or orchestrated. */
export interface DeploymentRepository {
  get(id: string): DeploymentRecord | undefined
  /** Unknown sort fields are a `DatabaseError` `DB_QUERY`. `total` counts all matches, whatever limit and offset. */
  find(query: DeploymentQuery): { readonly records: DeploymentRecord[]; readonly total: number }
  /** Inserts or replaces. */
  save(record: DeploymentRecord): void
  /** Removes it and its events. */
  delete(id: string): boolean
}

/** One entry of a deployment's story, append-only; the CLI follows it. */
export interface DeploymentEvent {
  /** Grows by at least one per event, over all deployments. */
  readonly sequence: number
  readonly deploymentId: string
  readonly atMs: number
  /** For example `status`, `bid`, `candidate`, `commit`, `allocate`, `allocation`, `progress`, `failed`. */
  readonly type: string
  /** JSON-safe. */
  readonly data: Readonly<Record<string, unknown>>
}

/** The stories of all deployments. */
export interface DeploymentEventRepository {
  append(event: Omit<DeploymentEvent, 'sequence'>): DeploymentEvent
  /** Events of a deployment with a sequence above `after`, in order, at most `limit` (default 1000). */
  list(deploymentId: string, after: number, limit?: number): DeploymentEvent[]
}

/** A revocation this node knows. Token texts are those of `formatToken`. */
export interface RevocationRecord {
  /** What it matches by: issuer, subject and nonce of what is revoked. */
  readonly key: string
  readonly revocation: string
  /** The token that is revoked, with its chain: shows that its issuer had a say here. */
  readonly proof?: string | undefined
  /** Where it came from: a peer, an administrator, the capability file. For people. */
  readonly learntFrom: string
  readonly learntAtMs: number
}

/** Revocations, how current the knowledge of them is, and the tokens that dynamic grants rest on. */
export interface RevocationRepository {
  list(): RevocationRecord[]
  find(key: string): RevocationRecord | undefined
  /** Inserts or replaces all or none. */
  save(records: readonly RevocationRecord[]): void
  delete(keys: readonly string[]): void
  /** When the node last knew itself current; absent when it never did. */
  currentAtMs(): number | undefined
  saveCurrentAtMs(currentAtMs: number): void
  /** Keys of the links of the chain by which a node was last let in; absent when it is not remembered. */
  basisOf(subject: string): readonly string[] | undefined
  saveBasis(subject: string, links: readonly string[], seenAtMs: number): void
}

/** An open database with its repositories. */
export interface Database extends Disposable {
  readonly onboarding: OnboardingRepository
  readonly reservations: ReservationRepository
  readonly allocations: AllocationRepository
  readonly deployments: DeploymentRepository
  readonly events: DeploymentEventRepository
  readonly revocations: RevocationRepository
  /** Runs `work` in one transaction; rolls back when it throws. Nested calls join the outer one. */
  transaction<T>(work: () => T): T
  /** Closing twice does nothing. */
  close(): void
}
