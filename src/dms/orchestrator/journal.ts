/**
 * The memory of one deployment: its record in the database and its story as events. Every change is on disk
 * before the call returns, so whoever acts after it can be killed at any moment.
 */

import type { Database, DeploymentEvent, DeploymentRecord, DeploymentStatus } from '../../db/index.ts'
import type { Clock, Logger, Refusal } from '../../types/index.ts'
import { Emitter } from '../../utils/index.ts'
import { type Ensemble, ensembleSchema } from '../ensemble/index.ts'
import type { Claim, Manifest, ManifestAllocation } from './manifest.ts'
import { type Kept, readManifest, writeManifest } from './manifest.ts'
import { checkTransition } from './states.ts'

export interface JournalDeps {
  database: Pick<Database, 'deployments' | 'events' | 'transaction'>
  clock: Clock
  log: Logger
}

/** An event before it has its number. */
type Entry = Pick<DeploymentEvent, 'type' | 'data'>

export class Journal {
  readonly #deps: JournalDeps
  #record: DeploymentRecord
  #kept: Kept
  readonly ensemble: Ensemble
  /** Fires after each event is stored. */
  readonly changes: Emitter<DeploymentEvent> = new Emitter<DeploymentEvent>()

  constructor(deps: JournalDeps, record: DeploymentRecord) {
    this.#deps = deps
    this.#record = record
    this.ensemble = ensembleSchema.parse(record.ensemble)
    this.#kept = readManifest(record.manifest)
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
    return this.#kept.manifest
  }

  /** What providers may still hold of this and earlier tries. */
  get unreleased(): readonly Claim[] {
    return this.#kept.unreleased
  }

  /** Stores a new record for the first time. */
  create(): void {
    this.#write(this.#record, this.#kept, [{ type: 'status', data: { status: this.#record.status } }])
  }

  /**
   * Moves to another status, together with what belongs to the step. `manifest: null` forgets the candidates; what
   * they may still hold is kept. @throws IllegalTransitionError, DatabaseError: then nothing has changed
   */
  transition(
    status: DeploymentStatus,
    parts: { manifest?: Manifest | null; error?: Refusal; completed?: boolean } = {}
  ): void {
    checkTransition(this.#record.status, status)
    const { error, completed } = parts
    const isNew = status !== this.#record.status || error !== undefined
    this.#save(
      {
        status,
        ...(error ? { error } : {}),
        ...(completed ? { completedAtMs: this.#deps.clock.nowMs() } : {})
      },
      parts.manifest === undefined ? {} : { manifest: parts.manifest ?? undefined },
      isNew ? [{ type: 'status', data: { status, ...(error ? { error } : {}) } }] : []
    )
    if (!isNew) return
    this.#deps.log.info('deployment status', {
      deployment: this.id,
      status,
      ...(error ? { reason: error.message } : {})
    })
  }

  /** Replaces what providers may still hold. */
  setUnreleased(unreleased: readonly Claim[]): void {
    this.#save({}, { unreleased })
  }

  /** Notes how an allocation is; returns false when nothing changed. */
  updateAllocation(key: string, change: Pick<ManifestAllocation, 'status' | 'exit_code' | 'error'>): boolean {
    const entry = this.#kept.manifest?.allocations[key]
    if (entry === undefined) return false
    if (
      entry.status === change.status &&
      entry.exit_code === change.exit_code &&
      entry.error === change.error
    )
      return false
    const before = { ...entry }
    Object.assign(entry, change)
    try {
      this.#save({}, {}, [this.#storyOf(key, entry, change.error)])
    } catch (error) {
      Object.assign(entry, before)
      throw error
    }
    return true
  }

  /** Tells progress of an allocation that is not stored in the manifest. */
  allocationProgress(key: string, progress: { status: string; detail: string }): void {
    const entry = this.#kept.manifest?.allocations[key]
    if (entry === undefined) return
    const { type, data } = this.#storyOf(key, { ...entry, status: progress.status }, undefined)
    this.event(type, { ...data, detail: progress.detail })
  }

  event(type: string, data: Record<string, unknown>): void {
    this.changes.emit(this.#append({ type, data }))
  }

  #storyOf(key: string, entry: ManifestAllocation, reason: string | undefined): Entry {
    return {
      type: 'allocation',
      data: {
        allocation: key,
        node: entry.node_id,
        peer: this.#kept.manifest?.nodes[entry.node_id]?.peer ?? '',
        status: entry.status,
        ...(entry.exit_code === undefined ? {} : { exit_code: entry.exit_code }),
        ...(reason ? { reason } : {})
      }
    }
  }

  #save(change: Partial<DeploymentRecord>, parts: Partial<Kept>, entries: readonly Entry[] = []): void {
    this.#write(
      { ...this.#record, ...change, updatedAtMs: this.#deps.clock.nowMs() },
      { ...this.#kept, ...parts },
      entries
    )
  }

  /** Record and story in one transaction; only then believed and told. */
  #write(record: DeploymentRecord, kept: Kept, entries: readonly Entry[]): void {
    const { manifest: _, ...rest } = record
    const manifest = writeManifest(record.id, kept)
    const next: DeploymentRecord = manifest === undefined ? rest : { ...rest, manifest }
    const stored = this.#deps.database.transaction(() => {
      this.#deps.database.deployments.save(next)
      return entries.map(entry => this.#append(entry))
    })
    this.#record = next
    this.#kept = kept
    for (const event of stored) this.changes.emit(event)
  }

  #append(entry: Entry): DeploymentEvent {
    return this.#deps.database.events.append({
      deploymentId: this.id,
      atMs: this.#deps.clock.nowMs(),
      ...entry
    })
  }
}
