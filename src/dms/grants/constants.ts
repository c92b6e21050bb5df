/** Life of one dynamic grant (identity-and-actors §11.3). */
export const GRANT_LIFE_MS = 3_600_000

/**
 * Time after which a grant in use is made anew. Half its life: the old token still holds while the new one
 * is signed, so there is no gap (the existing system renews exactly at expiry).
 */
export const GRANT_RENEWAL_MS = GRANT_LIFE_MS / 2

/**
 * How often grants are looked at. A renewal that failed is tried again at the next look, about thirty times before the
 * old token ends. Short, because the wall clock, by which tokens end, may jump: after a machine slept, its timers are
 * late by as long as it slept.
 */
export const GRANT_LOOK_MS = 60_000

/** A signature that takes longer counts as failed: a signer that hangs must not keep its grant from being tried again. */
export const GRANT_SIGNING_LIMIT_MS = 30_000

/** Time left at which a grant that cannot be renewed is told again, each time once. The first failure is told at once. */
export const GRANT_ALARMS_MS: readonly number[] = [15 * 60_000, 5 * 60_000, 60_000, 0]

/** With less time left, an alarm is an error: somebody must act now. */
export const GRANT_URGENT_MS = 5 * 60_000
