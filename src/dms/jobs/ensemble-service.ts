/**
 * Behaviours a provider adds to its node for one ensemble: logs, shutdown and status of its allocations. They are
 * reached under the capability `/dms/ensemble/<id>`; beyond it each call is for the allocations of the caller only,
 * since that capability may have been given to another by a static grant.
 */

import { z } from 'zod'
import type { Behavior } from '../../actor/index.ts'
import type { AbortOptions, Handle, Result } from '../../types/index.ts'
import { bytesToBase64, errorMessage, ok, refusal, refuse } from '../../utils/index.ts'
import type { Allocation } from './allocation.ts'
import { parseAllocationId } from './ids.ts'
import type { LogReader } from './logs.ts'
import {
  type AllocationStatusReply,
  allocationIdSchema,
  ensembleBehaviors,
  logsRequestSchema
} from './messages.ts'
import { type Answer, answer, answerProblem, answerRefusal, DONE } from './replies.ts'
import { resultOf } from './stored.ts'
import type { ProviderDeps } from './types.ts'

/** What an orchestrator asks of the logs of one allocation. */
export type LogsRequest = z.infer<typeof logsRequestSchema>

interface Deps extends Pick<ProviderDeps, 'addNodeBehavior'> {
  readonly logs: LogReader
  readonly find: (allocationId: string) => Allocation | undefined
}

export class EnsembleService {
  readonly #deps: Deps
  readonly #undo = new Map<string, () => void>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Registers the behaviours of an ensemble. A second call does nothing. */
  add(ensembleId: string): void {
    if (this.#undo.has(ensembleId)) return
    const paths = ensembleBehaviors(ensembleId)
    const undo = [
      this.#register(paths.logs, logsRequestSchema, (payload, from, signal) =>
        this.logs(ensembleId, payload, from, { signal })
      ),
      this.#register(paths.shutdown, allocationIdSchema, (payload, from) =>
        this.shutdown(ensembleId, payload.AllocationID, from)
      ),
      this.#register(paths.status, allocationIdSchema, (payload, from) =>
        this.status(ensembleId, payload.AllocationID, from)
      ),
      // Without a private network there is none to create, and the one to destroy is already gone (deployment §2.17).
      this.#register(`${paths.namespace}/node/subnet/create`, z.unknown(), () =>
        answerRefusal(refusal('ALLOCATION_NO_SUBNET', 'private network is not available'))
      ),
      this.#register(`${paths.namespace}/node/subnet/destroy`, z.unknown(), () => DONE)
    ]
    this.#undo.set(ensembleId, () => {
      for (const step of undo) step()
    })
  }

  remove(ensembleId: string): void {
    this.#undo.get(ensembleId)?.()
    this.#undo.delete(ensembleId)
  }

  removeAll(): void {
    for (const ensembleId of [...this.#undo.keys()]) this.remove(ensembleId)
  }

  /** A chunk of one stream, or without `Stream` both whole (deployment §2.15). */
  async logs(
    ensembleId: string,
    request: LogsRequest,
    from: Handle,
    { signal }: AbortOptions = {}
  ): Promise<Record<string, unknown>> {
    const found = this.#find(ensembleId, request.AllocName, from)
    if (!found.ok) return { Error: found.error.message }
    try {
      if (request.Stream === undefined) {
        const { stdout, stderr } = await this.#deps.logs.readWhole(found.value)
        return { Stdout: stdout, Stderr: stderr, Error: '' }
      }
      const { Stream: stream, offset, max_bytes: maxBytes, wait_ms: waitMs } = request
      const chunk = await this.#deps.logs.readChunk(
        found.value,
        { stream, offset, maxBytes, waitMs },
        { signal }
      )
      return {
        offset: chunk.offset,
        next_offset: chunk.nextOffset,
        total_size: chunk.totalBytes,
        eof: chunk.isEnd,
        data: bytesToBase64(chunk.data),
        Error: ''
      }
    } catch (error) {
      return { Error: `logs of '${request.AllocName}' cannot be read: ${errorMessage(error)}` }
    }
  }

  /** Ends an allocation. One that is unknown, or has ended, is no error (deployment §3.4). */
  async shutdown(ensembleId: string, name: string, from: Handle): Promise<Answer> {
    const found = this.#find(ensembleId, name, from)
    if (!found.ok) return found.error.code === 'ALLOCATION_UNKNOWN' ? DONE : answerRefusal(found.error)
    return answer(await found.value.terminate())
  }

  status(ensembleId: string, name: string, from: Handle): AllocationStatusReply {
    const found = this.#find(ensembleId, name, from)
    if (!found.ok)
      return {
        OK: false,
        Error: found.error.message,
        Status: 'unknown',
        ExitCode: 0,
        Killed: false,
        Reason: ''
      }
    const { record } = found.value
    const result = resultOf(record)
    return {
      OK: true,
      Error: '',
      Status: record.status,
      ExitCode: result?.exitCode ?? 0,
      Killed: result?.killed ?? false,
      Reason: result?.error ?? ''
    }
  }

  #find(ensembleId: string, name: string, from: Handle): Result<Allocation> {
    const id = parseAllocationId(ensembleId, name)
    if (!id.ok) return id
    const allocation = this.#deps.find(id.value)
    if (allocation === undefined || allocation.record.ensembleId !== ensembleId) {
      return refuse(refusal('ALLOCATION_UNKNOWN', `allocation '${name}' is not on this provider`))
    }
    // Grants are given to a DID, so every actor of the orchestrator's node may act on them (identity §11.3).
    if (allocation.record.orchestrator.did !== from.did) {
      return refuse(refusal('ALLOCATION_FOREIGN', `allocation '${name}' belongs to another orchestrator`))
    }
    return ok(allocation)
  }

  #register<Request>(
    path: string,
    request: z.ZodType<Request>,
    handle: (payload: Request, from: Handle, signal: AbortSignal) => unknown
  ): () => void {
    const behavior: Behavior<Request, unknown> = {
      path,
      request,
      onError: answerProblem,
      handle: ({ payload, from, signal }) => handle(payload, from, signal)
    }
    return this.#deps.addNodeBehavior(behavior)
  }
}
