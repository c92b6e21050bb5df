/**
 * The memory of one deployment: its record in the database and its story as events. Every change is on disk
 * before the call returns, so whoever acts after it can be killed at any moment.
 */

import type { Database, DeploymentEvent, DeploymentRecord, DeploymentStatus } from '../../db/index.ts'
import type { Clock, Logger, Refusal } from '../../types/index.ts'
import { Emitter } from '../../utils/index.ts'
import { type Ensemble, ensembleSchema } from '../ensemble/index.ts'
import { type Manifest, type ManifestAllocation, manifestSchema } from './manifest.ts'
import { checkTransition } from './states.ts'

export interface JournalDeps {
  database: Pick<Database, 'deployments' | 'events' | 'transaction'>
  clock: Clock
  log: Logger
}

export class Journal {
  readonly #deps: JournalDeps
  #record: DeploymentRecord
  #manifest: Manifest | undefined
  readonly ensemble: Ensemble
  /** Fires after each event is stored. */
  readonly changes: Emitter<DeploymentEvent> = new Emitter<DeploymentEvent>()

  constructor(deps: JournalDeps, record: DeploymentRecord) {
    this.#deps = deps
    this.#record = record
    this.ensemble = ensembleSchema.parse(record.ensemble)
    this.#manifest = record.manifest === undefined ? undefined : manifestSchema.parse(record.manifest)
  }

  get id(): string {
    return this.#record.id
  }

  get status(): DeploymentStatus {
    return this.#record.status
  }

  get record(): DeploymentRecord {
    return this.#record
  }

  get manifest(): Manifest | undefined {
    return this.#manifest
  }

  /** Stores a new record for the first time. */
  create(): void {
    this.#deps.database.deployments.save(this.#record)
    this.event('status', { status: this.#record.status })
  }

  /** Moves to another status, together with what belongs to the step. @throws IllegalTransitionError */
  transition(
    status: DeploymentStatus,
    parts: { manifest?: Manifest | null; error?: Refusal; completed?: boolean } = {}
  ): void {
    checkTransition(this.#record.status, status)
    const isNew = status !== this.#record.status || parts.error !== undefined
    const { manifest, error, completed } = parts
    if (manifest !== undefined) this.#manifest = manifest ?? undefined
    this.#save({
      status,
      ...(manifest === undefined ? {} : { manifest: manifest ?? undefined }),
      ...(error ? { error } : {}),
      ...(completed ? { completedAtMs: this.#deps.clock.nowMs() } : {})
    })
    if (!isNew) return
    this.#deps.log.info('deployment status', {
      deployment: this.id,
      status,
      ...(error ? { reason: error.message } : {})
    })
    this.event('status', { status, ...(error ? { error } : {}) })
  }

  /** Changes the manifest in place and stores it. */
  updateManifest(change: (manifest: Manifest) => void): void {
    if (this.#manifest === undefined) return
    change(this.#manifest)
    this.#save({ manifest: this.#manifest })
  }

  /** Notes how an allocation is; returns false when nothing changed. */
  updateAllocation(key: string, change: Pick<ManifestAllocation, 'status' | 'exit_code' | 'error'>): boolean {
    const entry = this.#manifest?.allocations[key]
    if (entry === undefined) return false
    if (
      entry.status === change.status &&
      entry.exit_code === change.exit_code &&
      entry.error === change.error
    )
      return false
    this.updateManifest(() => Object.assign(entry, change))
    this.allocationEvent(key, change.error)
    return true
  }

  /** Tells the story of one allocation; `detail` is progress that is not stored in the manifest. */
  allocationEvent(key: string, reason?: string, detail?: { status: string; detail: string }): void {
    const entry = this.#manifest?.allocations[key]
    if (entry === undefined) return
    this.event('allocation', {
      allocation: key,
      node: entry.node_id,
      peer: this.#manifest?.nodes[entry.node_id]?.peer ?? '',
      status: detail?.status ?? entry.status,
      ...(detail ? { detail: detail.detail } : {}),
      ...(entry.exit_code === undefined ? {} : { exit_code: entry.exit_code }),
      ...(reason ? { reason } : {})
    })
  }

  event(type: string, data: Record<string, unknown>): void {
    const stored = this.#deps.database.events.append({
      deploymentId: this.id,
      atMs: this.#deps.clock.nowMs(),
      type,
      data
    })
    this.changes.emit(stored)
  }

  #save(change: Partial<DeploymentRecord>): void {
    this.#record = { ...this.#record, ...change, updatedAtMs: this.#deps.clock.nowMs() }
    this.#deps.database.deployments.save(this.#record)
  }
}
