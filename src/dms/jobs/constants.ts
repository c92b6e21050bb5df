/** Life of a commit and of a remembered bid (deployment §3.1 check 16, §3.2). */
export const COMMIT_TTL_MS = 5 * 60_000

/** Bids and answered nonces remembered at most; the oldest go first. */
export const MAX_REMEMBERED_BIDS = 4096

/** How long an executor's answer "I can run here" is believed between two bids. */
export const FINGERPRINT_TTL_MS = 5_000

/** Most a bid may spend on asking an executor; the bid window of the existing system is 5 s. */
export const FINGERPRINT_LIMIT_MS = 2_000

/** A start includes pulling an image; after this it has failed. */
export const START_LIMIT_MS = 10 * 60_000

/** Between the polite and the forced end at a shutdown: orchestrators wait 5 s for its answer (deployment §2.17). */
export const STOP_GRACE_MS = 3_000

/** Time between two rounds of housekeeping. */
export const HOUSEKEEPING_MS = 60_000

/** Logs and record of an ended allocation are kept this long (deployment §2.15). */
export const LOG_RETENTION_MS = 30 * 60_000

/** The end of a task is reported again and again until it was handed over, or this long. */
export const REPORT_WINDOW_MS = 24 * 60 * 60_000
export const REPORT_FIRST_DELAY_MS = 1_000
export const REPORT_MAX_DELAY_MS = 5 * 60_000

/** Expiry of the report's message (deployment §2.14). */
export const REPORT_EXPIRY_MS = 120_000

/** Expiry of a progress or status message; it is worthless later. */
export const EVENT_EXPIRY_MS = 10_000

/** Least time between two progress messages of one allocation. */
export const PROGRESS_INTERVAL_MS = 500

/** An allocation that does not run is given back when nobody cared for it this long. */
export const IDLE_TTL_MS = 24 * 60 * 60_000

/**
 * Raw bytes of both streams in one message. Logs travel as base64 inside JSON that travels as base64 again
 * (factor 16/9), and the network takes messages below 1 MiB.
 */
export const MAX_LOG_PAYLOAD_BYTES = 480 * 1024

/** Time between two looks at a log file somebody waits for. */
export const LOG_POLL_MS = 50

/** Readers that may wait for output at the same time; further ones are answered at once. */
export const MAX_LOG_WAITERS = 64

/** Names one allocation may be told. */
export const MAX_HOSTS = 1024

/** A health check ends after this (deployment §2.10). */
export const HEALTH_CHECK_LIMIT_MS = 5_000

/** Body of an HTTP health check read at most. */
export const MAX_HEALTH_BODY_BYTES = 64 * 1024

/** Waits between attempts to find a workload whose executor does not answer. */
export const FOLLOW_FIRST_DELAY_MS = 1_000
export const FOLLOW_MAX_DELAY_MS = 60_000

/** Beyond the grace, an executor has this long to stop and remove a workload before it counts as not answering. */
export const REMOVE_LIMIT_MS = 60_000

/** An executor has this long to list its executions when the provider starts. */
export const LIST_LIMIT_MS = 30_000

/** Ports one commit may ask for. */
export const MAX_PORTS_PER_COMMIT = 256

/** Host ports probed for one bid request at most; the rest is probed when it is committed. */
export const MAX_BID_PROBES = 512

/** Other nodes of an ensemble a provider offers besides the one it bids for. Each is some 600 bytes of the reply. */
export const MAX_ALTERNATIVES = 31
