/** Limits and defaults of the Docker executor, each with its unit and reason. */

/** Where the engine listens unless configured otherwise. */
export const DEFAULT_SOCKET_PATH = '/var/run/docker.sock'

/** Newest engine API this client was written against (Docker Engine API 1.47). */
export const NEWEST_API = '1.47'
/** API of engine 20.10, the oldest with `host-gateway` and one-shot stats. */
export const OLDEST_API = '1.41'

/** One answer of the engine is at most this long; `inspect` of a container is about 10 KiB. */
export const MAX_BODY_BYTES = 8 * 2 ** 20
/** Text of an error answer that is read. */
export const MAX_ERROR_BYTES = 64 * 2 ** 10
/** One line of pull progress. */
export const MAX_PULL_LINE_BYTES = 256 * 2 ** 10
/** Layers of one image whose progress is followed; the engine itself allows 127. */
export const MAX_PULL_LAYERS = 256

/** An engine that does not answer a simple question in this time is reported as gone. */
export const CALL_LIMIT_MS = 30_000
/** Create, start and remove touch disks and networks: slow on a busy machine, but not endless. */
export const SLOW_CALL_LIMIT_MS = 120_000
/** The question behind a fingerprint. */
export const PING_LIMIT_MS = 5_000
/** A pull that moves no byte for this time is given up. */
export const PULL_IDLE_LIMIT_MS = 120_000

/** Waits between two tries to reach an engine that is gone, doubling. */
export const RECONNECT_INITIAL_MS = 100
export const RECONNECT_MAX_MS = 5_000
/** After the end of a container its log stream ends by itself; longer than this it is cut and the log read anew. */
export const LOG_TAIL_LIMIT_MS = 5_000
/** A log stream that ended although the container runs is opened again after this time. */
export const LOG_REOPEN_MS = 250

/**
 * A log stream opened while its container ends may end before its last bytes (seen with engine 20.10), so a log is
 * read once more after the end. Spared when the stream has given more than this: then it was open long before.
 */
export const LOG_RECHECK_BYTES = 2 ** 20

/** Processes and threads in one container: a bound against fork bombs, far above what workloads need. */
export const PIDS_LIMIT = 1024
/** The engine refuses less memory than this (6 MiB), and 0 would mean no limit at all. */
export const LEAST_MEMORY_BYTES = 6 * 2 ** 20
/** The engine refuses a smaller share of a CPU, and 0 would mean no limit at all. */
export const LEAST_CORES = 0.01

/**
 * Docker's own log of a container, from which ours is made again after a restart of the daemon. Two files of
 * 128 MiB hold the first 64 MiB of each stream (`MAX_LOG_BYTES`) unless its lines are very short, and bound
 * the disk that a flood of output can use.
 */
export const LOG_MAX_SIZE = '128m'
export const LOG_MAX_FILES = '2'

/** Container names: bounded so that they stay readable in `docker ps`; the engine itself sets no bound. */
export const MAX_NAME_LENGTH = 128

/** Labels the existing system uses (runtime §3.3). */
export const LABEL_OWNER = 'nunet-executor'
export const LABEL_JOB = 'nunet-jobID'
export const LABEL_EXECUTION = 'nunet-executionID'
/** The bare execution id, for recovery: the label above is a compound that cannot be taken apart again. */
export const LABEL_EXECUTION_ID = 'nunet.execution-id'

/** Directory in the container that holds provision scripts. */
export const PROVISION_DIRECTORY = '.nunet-provision'
