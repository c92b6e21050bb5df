/** Whether a provider's "no" will stay one until its owner changes something: then an orchestrator need not ask again. Pure. */

import type { Refusal, Resources } from '../../types/index.ts'
import type { BidEntry } from '../jobs/index.ts'
import { subtractResources } from '../resources/index.ts'

/** Reasons that lie in the machine or its settings, not in the moment. */
const LASTING = new Set([
  'BID_NOT_ONBOARDED',
  'BID_EXECUTOR',
  'BID_EXECUTOR_UNAVAILABLE',
  'BID_PRIVILEGED',
  'BID_LOCATION',
  'BID_ARCHITECTURE',
  'BID_CLOCK_SPEED',
  'BID_EMPTY'
])

/** `onboarded` is what the owner offers in all, free or not. */
export function isPermanent(
  refused: Refusal,
  entries: readonly BidEntry[],
  onboarded: Resources | undefined
): boolean {
  if (LASTING.has(refused.code)) return true
  if (refused.code !== 'BID_NONE' && refused.code !== 'BID_SOME') return false
  return entries.every(entry => {
    const about = refused.causes?.find(cause => cause.details?.['node'] === entry.node_id)
    const lasting = about?.causes?.some(cause => LASTING.has(cause.code)) ?? false
    return lasting || onboarded === undefined || !subtractResources(onboarded, entry.resources).ok
  })
}
