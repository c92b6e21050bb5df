/**
 * When to stop waiting for bids. The existing system always waits five seconds; here the window closes as soon
 * as waiting longer cannot help: everyone who could answer has answered, or every node can be placed and the
 * stragglers have had twice the time the slowest answer took. Pure: fed with facts, asked for a verdict.
 */

import { BID_WINDOW_MS, MAX_BID_GRACE_MS, MAX_BIDS_PER_NODE, MIN_BID_GRACE_MS } from './constants.ts'

/** Why a window closed; goes into the log and the event stream. */
export type CloseReason = 'everyone answered' | 'enough bids' | 'placeable' | 'time'

/** Close now, and why; or look again, and when. */
export type WindowVerdict =
  | { readonly closed: true; readonly reason: CloseReason }
  /** Ask again at the latest after this time, or when something was observed. */
  | { readonly closed: false; readonly checkInMs: number }

/** What is known at a moment of a round. All times are milliseconds since its start. */
export interface WindowFacts {
  readonly elapsedMs: number
  /** Peers that were asked and are known to listen. */
  readonly asked: number
  /** Of those, the ones that answered, with a bid or a reason. */
  readonly answered: number
  /** When the last answer came; `undefined` before the first. */
  readonly lastAnswerMs: number | undefined
  /** Fewest bids that any node has. */
  readonly fewestBids: number
  /** Whether each node can be given a peer of its own. */
  readonly placeable: boolean
}

/** Whether a round can be closed with what is known now. */
export function judgeWindow(facts: WindowFacts): WindowVerdict {
  if (facts.asked > 0 && facts.answered >= facts.asked) return { closed: true, reason: 'everyone answered' }
  if (facts.placeable && facts.fewestBids >= MAX_BIDS_PER_NODE) return { closed: true, reason: 'enough bids' }
  if (facts.elapsedMs >= BID_WINDOW_MS) return { closed: true, reason: 'time' }
  const rest = BID_WINDOW_MS - facts.elapsedMs
  if (!facts.placeable || facts.lastAnswerMs === undefined) return { closed: false, checkInMs: rest }
  const grace = Math.min(Math.max(2 * facts.lastAnswerMs, MIN_BID_GRACE_MS), MAX_BID_GRACE_MS)
  const closesAtMs = facts.lastAnswerMs + grace
  if (facts.elapsedMs >= closesAtMs) return { closed: true, reason: 'placeable' }
  return { closed: false, checkInMs: Math.min(closesAtMs - facts.elapsedMs, rest) }
}
