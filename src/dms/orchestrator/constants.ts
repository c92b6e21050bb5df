/** Times and limits of a deployment (deployment §2.19). */

/** Longest wait for bids in one round. Nearly always it ends much earlier, see `bid-window.ts`. */
export const BID_WINDOW_MS = 5_000

/** Bids kept per node (deployment §2.4.2). */
export const MAX_BIDS_PER_NODE = 8

/** Reasons of providers kept of one round, each bounded by `bounds.ts`. */
export const MAX_DECLINES = 32

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

/** Peers that did not answer are tried again, this many times each, when nobody else is left. */
export const MAX_SILENCES_FORGIVEN = 3

/** Reasons of failed rounds kept for the final answer; the latest. */
export const MAX_REASONS = 16

/**
 * What a provider did not confirm to have given back is asked for again: pause, doubling, and for how long in all.
 * Its commits expire by themselves, its allocations do not.
 */
export const RELEASE_PAUSE_MS = 5_000
export const MAX_RELEASE_PAUSE_MS = 300_000
export const RELEASE_WINDOW_MS = 86_400_000

/** Existing providers of v0.5 never answer a revert: delivered this often, it counts as done. */
export const MAX_RELEASE_TRIES = 10

/** Ended deployments that may wait for such confirmations at once. */
export const MAX_RELEASING_DEPLOYMENTS = 256

/** Allocation requests to different nodes under way at once. */
export const MAX_PARALLEL_NODES = 32

/** Log bytes fetched of one stream of an ended task; the rest stays at the provider until it is asked for. */
export const MAX_STORED_LOG_BYTES = 16 * 2 ** 20

/** Pieces asked for when a whole stream is fetched: twice what full pieces would need; a provider may send smaller ones. */
export const MAX_LOG_PIECES = 128
export const LOG_PIECE_BYTES = 262_144

/** Streams of one deployment fetched at once. */
export const MAX_PARALLEL_LOGS = 2

/** Messages an allocation may send about itself: a burst, and a rate after it. The regular questions make up for what is dropped. */
export const EVENT_BURST = 40
export const EVENTS_PER_SECOND = 2

/** Longest long poll, and readers that may wait at once; further ones are answered with what there is. */
export const MAX_EVENT_WAIT_MS = 25_000
export const MAX_EVENT_WAITERS = 256

/** Deployments in progress at once on one node. */
export const MAX_ACTIVE_DEPLOYMENTS = 256
