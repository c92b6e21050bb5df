/** Bytes of one output stream kept in a log file; what comes after ends the workload (limit `output`) or is cut. */
export const MAX_LOG_BYTES = 64 * 2 ** 20

/** Bytes of each stream a command run inside a workload may give back. */
export const MAX_EXEC_OUTPUT_BYTES = 2 ** 20

/** Time between the polite and the forced end of a workload. */
export const STOP_GRACE_MS = 10_000

/** File names in the results directory (deployment §2.15). */
export const STDOUT_LOG = 'stdout.log'
/** The other stream, beside `STDOUT_LOG`. */
export const STDERR_LOG = 'stderr.log'
