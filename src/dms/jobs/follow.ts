import type { ExecutionHandle, ExecutionResult, Executor } from '../../executor/index.ts'
import type { Clock, Logger } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import { FOLLOW_FIRST_DELAY_MS, FOLLOW_MAX_DELAY_MS } from './constants.ts'

export interface FollowDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly executor: Executor | undefined
  /** An execution of an earlier run of the daemon was found running. */
  readonly onRunning: () => Promise<void>
  readonly onEnd: (result: ExecutionResult) => Promise<void>
}

/**
 * Waits for the end of an execution, through failures of its executor: whenever sight of it is lost, it is looked
 * for again. With `isKnown` the executor has it already. Ends silently when `signal` fires; never throws.
 */
export async function followExecution(
  deps: FollowDeps,
  handle: ExecutionHandle,
  { isKnown, signal }: { isKnown: boolean; signal: AbortSignal }
): Promise<void> {
  let mustFind = !isKnown
  let delayMs = FOLLOW_FIRST_DELAY_MS
  while (!signal.aborted) {
    try {
      const executor = requireExecutor(deps.executor, handle)
      const found = mustFind ? await findExecution(deps, executor, handle, signal) : undefined
      return await deps.onEnd(found ?? (await executor.wait(handle, { signal })))
    } catch (error) {
      if (signal.aborted) return
      deps.log.warn('lost sight of an execution', { allocationId: handle.jobId, reason: errorMessage(error) })
      mustFind = true
      await deps.clock.sleep(delayMs, { signal }).catch(() => undefined)
      delayMs = Math.min(delayMs * 2, FOLLOW_MAX_DELAY_MS)
    }
  }
}

/** A result when there is nothing to wait for. */
async function findExecution(
  deps: FollowDeps,
  executor: Executor,
  handle: ExecutionHandle,
  signal: AbortSignal
): Promise<ExecutionResult | undefined> {
  const status = await executor.recover(handle, { signal })
  if (status === 'lost') return unknownEnd('nothing was left of the workload when the node was restarted')
  // It was made and never started; nobody will start it now.
  if (status === 'pending') return unknownEnd('the node was restarted before the workload ran')
  if (status === 'running') await deps.onRunning()
  return undefined
}

function requireExecutor(executor: Executor | undefined, handle: ExecutionHandle): Executor {
  if (executor) return executor
  throw new Error(`executor '${handle.executor}' is not on this node`)
}

/** The end of an execution whose exit code nobody knows. */
export function unknownEnd(error: string): ExecutionResult {
  return { exitCode: -1, killed: false, error }
}
