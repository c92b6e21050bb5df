/** What lives outside the daemon: the workloads. Survives the executor, as containers survive a killed daemon. */

import type { Clock, Timer } from '../../types/index.ts'
import type { EndCause } from '../outcome.ts'
import { resultOf } from '../outcome.ts'
import type { ExecutionRequest, ExecutionResult } from '../types.ts'
import type { MockParams } from './params.ts'

/** One workload of the mock, from its creation to its removal. */
export interface MockExecution {
  readonly ownerId: string
  readonly request: ExecutionRequest
  readonly params: MockParams
  /** `undefined` until it runs. */
  startedAtMs: number | undefined
  result: ExecutionResult | undefined
  readonly ended: PromiseWithResolvers<ExecutionResult>
  readonly timers: Timer[]
}

/**
 * The machine on which mock workloads run. Hand the same world to a new executor to simulate a restart of the
 * daemon, and read it in tests to see what really runs.
 */
export interface MockWorld {
  /** By execution id. */
  readonly executions: Map<string, MockExecution>
  /** While set, the engine is gone and says this. */
  unavailable: string | undefined
}

/** An empty machine. */
export function createMockWorld(): MockWorld {
  return { executions: new Map(), unavailable: undefined }
}

/** Ends an execution once; later calls do nothing. */
export function endExecution(
  execution: MockExecution,
  cause: EndCause,
  exitCode: number,
  detail?: string
): void {
  if (execution.result !== undefined) return
  for (const timer of execution.timers.splice(0)) timer.cancel()
  execution.result = resultOf(cause, exitCode, detail)
  execution.ended.resolve(execution.result)
}

/** Calls `callback` after `ms` unless the execution ends before. */
export function schedule(clock: Clock, execution: MockExecution, ms: number, callback: () => void): void {
  execution.timers.push(clock.setTimer(ms, callback))
}
