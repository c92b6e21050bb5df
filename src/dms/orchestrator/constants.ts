/** Times and limits of a deployment (deployment §2.19). */

/** Longest wait for bids in one round. Nearly always it ends much earlier, see `bid-window.ts`. */
export const BID_WINDOW_MS = 5_000

/** Bids kept per node (deployment §2.4.2). */
export const MAX_BIDS_PER_NODE = 8

/** Wait for stragglers once every node can be placed: twice the slowest answer so far, within these bounds. */
export const MIN_BID_GRACE_MS = 60
export const MAX_BID_GRACE_MS = 1_000

/** Commit and allocate, per allocation of the node (deployment §2.6). */
export const COMMIT_LIMIT_MS = 3_000
export const ALLOCATE_LIMIT_MS = 5_000

/** Answer to a revert. A provider that does not answer frees its commit by expiry. */
export const REVERT_LIMIT_MS = 5_000

/** Start of one allocation, image pull included. */
export const START_LIMIT_MS = 300_000

/** Short questions to a provider: status, records, shutdown. */
export const ASK_LIMIT_MS = 5_000
export const SHUTDOWN_LIMIT_MS = 30_000

/** A deployment stops trying this long before its message expires, to leave time for the revert. */
export const DEADLINE_MARGIN_MS = 15_000

/** Shortest time left at arrival for `deployment/new`: one minute less a second of travel. */
export const MIN_DEPLOYMENT_MS = 59_000

/** Pause between rounds without a placement: doubles from the first to the second. */
export const MIN_ROUND_PAUSE_MS = 500
export const MAX_ROUND_PAUSE_MS = 10_000

/** Allocation requests to different nodes under way at once. */
export const MAX_PARALLEL_NODES = 32

/** Log bytes fetched of one stream of an ended task; the rest stays at the provider until it is asked for. */
export const MAX_STORED_LOG_BYTES = 16 * 2 ** 20

/** Events kept in memory for a waiting reader are none: they are read from the database. Longest long poll. */
export const MAX_EVENT_WAIT_MS = 25_000

/** Deployments in progress at once on one node. */
export const MAX_ACTIVE_DEPLOYMENTS = 256
