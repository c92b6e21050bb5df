/** Each live allocation is asked for its status this often; changes are pushed in between. */
export const STATUS_POLL_MS = 10_000

/** Answer to a status question or a health check (deployment §2.10). */
export const ASK_LIMIT_MS = 5_000

/** Questions in a row without an answer before an allocation counts as unknown: never shown as healthy meanwhile by more than this. */
export const MAX_SILENT_POLLS = 2

/** Rate of health checks when the ensemble gives none (deployment §2.10). */
export const HEALTH_INTERVAL_MS = 30_000

/** A check more often than this is a load, more seldom than this no check; the ensemble's interval is kept between them. */
export const MIN_HEALTH_INTERVAL_MS = 1_000
export const MAX_HEALTH_INTERVAL_MS = 86_400_000

/** Failed health checks in a row that lead to a restart. */
export const HEALTH_FAILURES = 3

/** Restarts of one allocation before it is left down, and the pause before each, doubling. */
export const MAX_RESTARTS = 5
export const RESTART_PAUSE_MS = 1_000
export const MAX_RESTART_PAUSE_MS = 60_000

/** A service that ran this long after a restart has recovered: its restarts are counted anew. */
export const STABLE_AFTER_MS = 600_000

/** A restart may pull an image. */
export const RESTART_LIMIT_MS = 300_000

/** Allocations asked at once. */
export const MAX_PARALLEL_QUESTIONS = 16
