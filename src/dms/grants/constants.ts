/** Life of one dynamic grant (identity-and-actors §11.3). */
export const GRANT_LIFE_MS = 3_600_000

/**
 * Time after which a grant in use is made anew. Half its life: the old token still holds while the new one
 * is signed, so there is no gap (the existing system renews exactly at expiry).
 */
export const GRANT_RENEWAL_MS = GRANT_LIFE_MS / 2

/** Time after which a renewal that failed is tried again: the old token still holds. */
export const GRANT_RETRY_MS = 60_000
