/** Limits of the database. */

/**
 * Wait for another owner before `DB_LOCKED`, in milliseconds. Only a daemon that is just stopping is worth
 * waiting for; a running one keeps the file for as long as it lives.
 */
export const LOCK_WAIT_MS = 250

/** Prepared statements kept; the fixed ones are about thirty, the rest are variants of the deployment search. */
export const MAX_CACHED_STATEMENTS = 128

/** The write-ahead log is cut back to this size after a checkpoint, in bytes. */
export const WAL_LIMIT_BYTES = 16 * 2 ** 20

/** Files up to this size are checked page by page when they are opened (measured: about 5 ms per 10 MiB), in bytes. */
export const CHECK_LIMIT_BYTES = 64 * 2 ** 20

/** Events kept per deployment; the oldest go first. A day of one event every nine seconds. */
export const MAX_EVENTS_PER_DEPLOYMENT = 10_000

/** Events `list` returns when it is not told otherwise. */
export const DEFAULT_EVENT_LIMIT = 1000

/** Length of one JSON column in UTF-16 units: far above any ensemble, and a wall against a runaway value. */
export const MAX_JSON_LENGTH = 8 * 2 ** 20

/** Nodes whose authority for a dynamic grant is remembered; the one seen longest ago is forgotten. */
export const MAX_GRANT_BASES = 10_000

/** Metadata pairs and statuses in one search. */
export const MAX_QUERY_TERMS = 64
