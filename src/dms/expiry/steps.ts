/** When the end of a token is announced. */

import { ANNOUNCED_MS, EARLIEST_SHARE, SHORT_SHARE, URGENT_MS } from './constants.ts'

/**
 * Times left at which a token of such a life is announced, longest first. A token for months has them all; one for
 * days or hours is first announced with a fifth of its life left, and then at those that come well after.
 */
export function stepsOf(lifeMs: number): readonly number[] {
  const [first = 0] = ANNOUNCED_MS
  if (first <= lifeMs * EARLIEST_SHARE) return ANNOUNCED_MS
  const own = Math.floor(lifeMs * SHORT_SHARE)
  return [own, ...ANNOUNCED_MS.filter(stepMs => stepMs <= own * EARLIEST_SHARE)]
}

/** How many announcements are due: one for each time that has come, and one for the end itself. */
export function stepsPassed(lifeMs: number, leftMs: number): number {
  const passed = stepsOf(lifeMs).filter(stepMs => leftMs <= stepMs).length
  return leftMs < 0 ? passed + 1 : passed
}

/** Whether somebody must act now rather than soon. */
export function isUrgent(lifeMs: number, leftMs: number): boolean {
  return leftMs < 0 || (leftMs <= URGENT_MS && stepsPassed(lifeMs, leftMs) > 1)
}

/** Milliseconds until the next announcement; `undefined` after the last. */
export function nextStepIn(lifeMs: number, leftMs: number): number | undefined {
  if (leftMs < 0) return undefined
  const next = stepsOf(lifeMs).find(stepMs => stepMs < leftMs)
  // The token is good up to and including its end.
  return next === undefined ? leftMs + 1 : leftMs - next
}
