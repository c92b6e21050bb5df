/**
 * What allocations tell their orchestrator, and what supervision finds out about them: checked against the manifest,
 * bounded, and noted in the journal. A task's end comes with its output (deployment §2.14); when it is first seen by
 * a question, the output is fetched.
 */

import type { Behavior, ChildActor } from '../../actor/index.ts'
import type { AbortOptions, Clock, Handle, Logger } from '../../types/index.ts'
import { base64ToBytes, errorMessage, Limiter } from '../../utils/index.ts'
import {
  allocationEventSchema,
  BEHAVIORS,
  type TaskTermination,
  taskTerminationSchema
} from '../jobs/index.ts'
import { type AllocationReport, isOver } from '../supervision/index.ts'
import { readHandle } from './bid.ts'
import { clip } from './bounds.ts'
import { EVENT_BURST, EVENTS_PER_SECOND, MAX_PARALLEL_LOGS } from './constants.ts'
import type { Journal } from './journal.ts'
import { fetchWholeLog, type LogSource, type LogStore, type LogStream } from './log-store.ts'
import { findAllocation, type ManifestAllocation } from './manifest.ts'

export interface AllocationReportsDeps {
  actor: ChildActor
  journal: Journal
  logs: LogStore
  clock: Clock
  log: Logger
  /** Runs work that outlives a call; it is waited for when the daemon stops. */
  background: (work: Promise<void>) => void
  /** A service's state as its provider pushed it, to be judged by supervision. */
  push: (key: string, report: AllocationReport) => void
  /** A task's end is noted; nobody needs to ask for it any more. */
  settled: (key: string, report: AllocationReport) => void
  /** Called after something was noted. */
  changed: () => void
}

type AllocationEvent = { allocation_id: string; status: string; detail: string }

/** States an allocation may be in (deployment §2.12); a provider's other texts are not repeated. */
const KNOWN_STATUSES = new Set([
  'pending',
  'starting',
  'running',
  'restarting',
  'stopped',
  'completed',
  'failed',
  'terminated',
  'standby'
])

export class AllocationReports {
  readonly #deps: AllocationReportsDeps
  readonly #signal: AbortSignal
  readonly #endings = new Set<string>()
  readonly #allowances = new Map<string, { left: number; atMs: number }>()
  readonly #fetches: Limiter

  constructor(deps: AllocationReportsDeps, options: { signal: AbortSignal; allocations: number }) {
    this.#deps = deps
    this.#signal = options.signal
    this.#fetches = new Limiter(MAX_PARALLEL_LOGS, Math.max(1, options.allocations))
    deps.actor.addBehavior(this.#terminationBehavior())
    deps.actor.addBehavior(this.#eventBehavior())
  }

  /** Takes what supervision found. False: not noted yet, it is to be told again if it stays so. */
  take(key: string, report: AllocationReport): boolean {
    const { journal, background, changed } = this.#deps
    const entry = journal.manifest?.allocations[key]
    if (entry === undefined || isSettled(entry)) return true
    if (entry.type === 'task' && isOver(report.status)) {
      background(this.#endTask(key, entry, report))
      return false
    }
    journal.updateAllocation(key, changeOf(report))
    changed()
    return true
  }

  /** Where the output of an allocation is asked for while it lives, or `undefined` when it is stored here. */
  logSource(entry: ManifestAllocation): LogSource | undefined {
    const { journal } = this.#deps
    const provider = readHandle(journal.manifest?.nodes[entry.node_id]?.handle)
    if (provider === undefined || entry.handle === undefined || isSettled(entry)) return undefined
    return { ensembleId: journal.id, allocationId: entry.id, provider }
  }

  #terminationBehavior(): Behavior<TaskTermination, never> {
    return {
      path: BEHAVIORS.taskTermination,
      request: taskTerminationSchema,
      handle: async ({ payload, from, signal }) => {
        const found = this.#ownAllocation(payload.allocation_id, from)
        if (found?.[1].type !== 'task') return undefined
        const report = {
          status: payload.status,
          exitCode: payload.error.exit_code,
          reason: payload.error.err
        }
        const output = payload.logs_truncated ? {} : { stdout: payload.stdout, stderr: payload.stderr }
        await this.#endTask(found[0], found[1], report, output, { signal })
        return undefined
      }
    }
  }

  #eventBehavior(): Behavior<AllocationEvent, never> {
    return {
      path: BEHAVIORS.allocationEvent,
      request: allocationEventSchema,
      handle: ({ payload, from }) => {
        const found = this.#ownAllocation(payload.allocation_id, from)
        if (found && KNOWN_STATUSES.has(payload.status) && this.#allows(found[0]))
          this.#note(found[0], found[1], payload)
        return undefined
      }
    }
  }

  #note(key: string, entry: ManifestAllocation, { status, detail }: AllocationEvent): void {
    const { journal, push } = this.#deps
    // A task's end has its own message; a last state is never followed by another.
    if (isSettled(entry) || (entry.type === 'task' && isOver(status))) return
    // Messages may overtake each other: what was told of the start is stale once the start was answered.
    if (entry.status === 'running' && (status === 'pending' || status === 'starting')) return
    const text = clip(detail)
    if (text !== '' && !isOver(status)) journal.allocationProgress(key, { status, detail: text })
    else if (journal.status === 'Running') push(key, { status, exitCode: undefined, reason: text })
    else if (journal.status === 'Provisioning')
      journal.updateAllocation(key, { status, exit_code: undefined, error: text || undefined })
  }

  /** An allocation of this deployment that was made, if the message comes from the peer it was placed on. */
  #ownAllocation(id: string, from: Handle): [string, ManifestAllocation] | undefined {
    const { manifest } = this.#deps.journal
    const found = manifest ? findAllocation(manifest, id) : undefined
    if (found === undefined || found[1].handle === undefined) return undefined
    return manifest?.nodes[found[1].node_id]?.peer === from.address.host ? found : undefined
  }

  /** A bucket of messages per allocation: a flood would fill the disk with events. */
  #allows(key: string): boolean {
    const nowMs = this.#deps.clock.monotonicMs()
    const known = this.#allowances.get(key) ?? { left: EVENT_BURST, atMs: nowMs }
    const left = Math.min(EVENT_BURST, known.left + ((nowMs - known.atMs) / 1000) * EVENTS_PER_SECOND)
    this.#allowances.set(key, { left: left >= 1 ? left - 1 : left, atMs: nowMs })
    return left >= 1
  }

  /** Stores output and end, once; whoever comes second waits for the next question to tell the same. */
  async #endTask(
    key: string,
    entry: ManifestAllocation,
    report: AllocationReport,
    output: Partial<Record<LogStream, string>> = {},
    options: AbortOptions = {}
  ): Promise<void> {
    if (isOver(entry.status) || this.#endings.has(key)) return
    this.#endings.add(key)
    try {
      for (const stream of ['stdout', 'stderr'] as const)
        await this.#keepLog(key, entry, stream, output[stream], options)
      this.#signal.throwIfAborted()
      this.#deps.journal.updateAllocation(key, changeOf(report))
    } finally {
      this.#endings.delete(key)
    }
    this.#deps.settled(key, report)
    this.#deps.changed()
  }

  /** Output that cannot be had or stored does not keep a task from having ended. */
  async #keepLog(
    key: string,
    entry: ManifestAllocation,
    stream: LogStream,
    base64: string | undefined,
    options: AbortOptions
  ): Promise<void> {
    try {
      const content =
        base64 === undefined
          ? await this.#fetches.run(() => this.#fetchLog(entry, stream, options))
          : base64ToBytes(base64)
      await this.#deps.logs.save(key, stream, content)
    } catch (error) {
      this.#signal.throwIfAborted()
      this.#deps.log.warn('output of an ended task could not be kept', {
        allocation: entry.id,
        stream,
        reason: errorMessage(error)
      })
    }
  }

  async #fetchLog(
    entry: ManifestAllocation,
    stream: LogStream,
    { signal = this.#signal }: AbortOptions
  ): Promise<Uint8Array> {
    const source = this.logSource(entry)
    if (source === undefined) return new Uint8Array()
    const fetched = await fetchWholeLog(this.#deps.actor, source, stream, {
      signal: AbortSignal.any([signal, this.#signal])
    })
    if (fetched.ok) return fetched.value
    throw new Error(fetched.error.message)
  }
}

/** A task that is over stays so; a service may come back, unless it was taken down. */
export function isSettled(entry: Pick<ManifestAllocation, 'type' | 'status'>): boolean {
  return entry.status === 'terminated' || (entry.type === 'task' && isOver(entry.status))
}

function changeOf(report: AllocationReport): Pick<ManifestAllocation, 'status' | 'exit_code' | 'error'> {
  return {
    status: report.status,
    exit_code: report.exitCode,
    error: report.reason ? clip(report.reason) : undefined
  }
}
