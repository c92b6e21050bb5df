const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Time left at which the end of a token is announced, longest first; its end is announced as well. */
export const ANNOUNCED_MS: readonly number[] = [30 * DAY_MS, 7 * DAY_MS, 3 * DAY_MS, DAY_MS, HOUR_MS]

/**
 * No announcement comes before this part of a token's life is over: one that is made for a day would else be announced
 * as long as it lives.
 */
export const EARLIEST_SHARE = 0.5

/** A token too short-lived for the first of the times above is first announced with this part of its life left. */
export const SHORT_SHARE = 0.2

/** With less time left, an announcement that is not the first is an error: somebody must act now. */
export const URGENT_MS = DAY_MS

/**
 * How often the anchors are looked at without being asked to. Ends are met by timers of their own; this is for a wall
 * clock that jumps, and for changes nobody told of.
 */
export const LOOK_MS = 60_000

/** A clock that went back by more than this was wrong before: what it made us announce is announced again in its time. */
export const SETBACK_MS = HOUR_MS

/** Health is computed anew when it is asked for and older than this. */
export const FRESH_MS = 1_000

/** How long a token that ended is told of when nothing came in its place. Then it was meant to end. */
export const REMEMBER_MS = 30 * DAY_MS

/** Tokens watched at once, those that end first; a context may hold many times more. */
export const MAX_WATCHED = 1_000

/** Longer-lived tokens of one subject that a token is compared with; one that none of them covers counts as not covered. */
export const MAX_COMPARED = 16

/** Length of the file in which the watch remembers, in bytes. A longer one is not ours. */
export const MAX_MEMORY_LENGTH = 32 * 2 ** 20
