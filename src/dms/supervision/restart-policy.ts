/** Which allocations are restarted when one fails (deployment §2.11, with the Erlang meaning the names carry), and how often. Pure. */

import type { AllocationRecovery } from '../ensemble/index.ts'
import { MAX_RESTART_PAUSE_MS, MAX_RESTARTS, RESTART_PAUSE_MS } from './constants.ts'

/** Keys to restart, in order. `ordered` are all supervised services in the order of the ensemble file. */
export function restartSet(
  strategy: AllocationRecovery,
  failed: string,
  ordered: readonly string[]
): string[] {
  if (strategy === 'stay_down') return []
  if (strategy === 'one_for_all') return [...ordered]
  if (strategy === 'rest_for_one') {
    const at = ordered.indexOf(failed)
    return at < 0 ? [failed] : ordered.slice(at)
  }
  return [failed]
}

/** Pause before restart number `count` (from 0), or `undefined` when there have been enough. */
export function restartPauseMs(count: number): number | undefined {
  if (count >= MAX_RESTARTS) return undefined
  return Math.min(RESTART_PAUSE_MS * 2 ** count, MAX_RESTART_PAUSE_MS)
}
