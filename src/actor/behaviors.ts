/** The behaviours of one actor, by path. Each keeps its request type to itself: outside it takes bytes. */

import type { Refusal, Result } from '../types/index.ts'
import { ok } from '../utils/index.ts'
import { readPayload } from './dispatch/payload.ts'
import type { Behavior, MessageContext } from './types.ts'

/** Why no ordinary reply came about. */
export interface Problem {
  readonly message: string
  readonly refusal?: Refusal
  readonly error?: unknown
}

/** A behaviour with its types closed over. */
export interface BoundBehavior {
  readonly path: string
  readonly capabilities: readonly string[]
  readonly topic: string | undefined
  readonly timeLimitMs: number | undefined
  /** Reads the payload; the function runs the handler on it. */
  prepare(
    message: Uint8Array
  ): Result<(context: Omit<MessageContext<unknown>, 'payload'>) => Promise<unknown>>
  /** The declared answer to a problem, or `undefined` when none is declared. */
  readonly onError: ((problem: Problem) => unknown) | undefined
}

export function bindBehavior<Request, Reply>(behavior: Behavior<Request, Reply>): BoundBehavior {
  return {
    path: behavior.path,
    capabilities: behavior.capabilities ?? [behavior.path],
    topic: behavior.topic,
    timeLimitMs: behavior.timeLimitMs,
    prepare(message) {
      const payload = readPayload(behavior.request, message, { exact: behavior.exact === true })
      return payload.ok
        ? ok(async context => await behavior.handle({ ...context, payload: payload.value }))
        : payload
    },
    onError: behavior.onError && (problem => behavior.onError?.(problem))
  }
}

export class BehaviorTable {
  readonly #byPath = new Map<string, BoundBehavior>()

  find(path: string): BoundBehavior | undefined {
    return this.#byPath.get(path)
  }

  /** Replaces one of the same path; the undo removes this one only. */
  add(behavior: BoundBehavior): () => void {
    this.#byPath.set(behavior.path, behavior)
    return () => {
      if (this.#byPath.get(behavior.path) === behavior) this.#byPath.delete(behavior.path)
    }
  }

  clear(): void {
    this.#byPath.clear()
  }

  get size(): number {
    return this.#byPath.size
  }
}
