/** Output of one deployment's allocations for its user: from the provider while they live, from this node's disk afterwards. */

import type { Actor } from '../../actor/index.ts'
import type { AbortOptions } from '../../types/index.ts'
import { DeploymentError } from './errors.ts'
import {
  fetchLogChunk,
  fetchWholeLog,
  type LogChunk,
  type LogRequest,
  type LogSource,
  type LogStore
} from './log-store.ts'
import type { Manifest, ManifestAllocation } from './manifest.ts'

export interface LogDeskDeps {
  manifest: Manifest | undefined
  store: LogStore
  /** The deployment's own actor; `undefined` when it is over. */
  actor: Pick<Actor, 'invoke'> | undefined
  /** Where output is asked for; `undefined` when it is stored here. */
  sourceOf: (entry: ManifestAllocation) => LogSource | undefined
}

export class LogDesk {
  readonly #deps: LogDeskDeps

  constructor(deps: LogDeskDeps) {
    this.#deps = deps
  }

  /** A piece of one stream. @throws DeploymentError */
  async read(allocation: string, request: LogRequest, options: AbortOptions): Promise<LogChunk> {
    const { store, actor, sourceOf } = this.#deps
    const { key, entry } = this.#find(allocation)
    const source = sourceOf(entry)
    if (actor === undefined || source === undefined) return await store.read(key, request)
    const chunk = await fetchLogChunk(actor, source, request, options)
    if (chunk.ok) return chunk.value
    throw unavailable(key, chunk.error.message)
  }

  /** Brings both streams to this node's disk; says in which directory they are. @throws DeploymentError */
  async write(allocation: string, options: AbortOptions): Promise<string> {
    const { store, actor, sourceOf } = this.#deps
    const { key, entry } = this.#find(allocation)
    const source = sourceOf(entry)
    if (actor === undefined || source === undefined) return store.directoryOf(key)
    for (const stream of ['stdout', 'stderr'] as const) {
      const content = await fetchWholeLog(actor, source, stream, options)
      if (!content.ok) throw unavailable(key, content.error.message)
      await store.save(key, stream, content.value)
    }
    return store.directoryOf(key)
  }

  /** By manifest key, by full id, or by the bare name when only one node has it. */
  #find(name: string): { key: string; entry: ManifestAllocation } {
    const allocations = this.#deps.manifest?.allocations ?? {}
    const matches = Object.entries(allocations).filter(
      ([key, entry]) => key === name || entry.id === name || key === `${entry.node_id}.${name}`
    )
    const [match] = matches
    if (match !== undefined && matches.length === 1) return { key: match[0], entry: match[1] }
    const known = Object.keys(allocations).join(', ') || 'none yet'
    throw new DeploymentError(
      'DEPLOYMENT_ALLOCATION_UNKNOWN',
      `allocation '${name}' ${matches.length > 1 ? 'stands on several nodes' : 'not found'}`,
      { hint: `allocations of this deployment: ${known}` }
    )
  }
}

function unavailable(key: string, reason: string): DeploymentError {
  return new DeploymentError('DEPLOYMENT_LOGS', `logs of '${key}' could not be had: ${reason}`)
}
