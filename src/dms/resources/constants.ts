/** Time between two sweeps of expired commits (deployment §3.2: "meant every 60 s"). */
export const SWEEP_MS = 60_000

/** Reservations a node holds at most; a claim for nothing must not fill the database. */
export const MAX_RESERVATIONS = 1024

/** Host ports probed at most while looking for dynamic ports, so that one request cannot bind the whole range. */
export const MAX_PORT_PROBES = 2048
