/** Limits and defaults of the WASM executor, each with its unit and reason. */

/** Largest module after decompression; a message between nodes carries far less, so this bounds what a hand-made file can ask. */
export const MAX_MODULE_BYTES = 16 * 2 ** 20
/** Text of a module: base64 takes four letters for three bytes, plus room for line breaks. */
export const MAX_MODULE_TEXT = Math.ceil((MAX_MODULE_BYTES * 4) / 3) + 2 ** 18
/** Standard input given in the parameters. */
export const MAX_STDIN_BYTES = 2 ** 20
/** Arguments and environment together, as Linux bounds them for a process of 8 MiB stack (execve(2)). */
export const MAX_ARGUMENT_BYTES = 2 ** 20

/** Time a task gets when neither its ensemble nor its node says otherwise. A service has no such limit, so the caller sets it. */
export const DEFAULT_TASK_TIME_LIMIT_MS = 3_600_000

/** WebAssembly's page size (core specification §4.2.8). */
export const PAGE_BYTES = 65_536
/** Pages a 32-bit memory can have. */
export const MAX_PAGES = 65_536
/** Entries of one table: far above what compilers make, and 16 tables of them stay under 30 MB. */
export const MAX_TABLE_ENTRIES = 200_000
export const MAX_TABLES = 16

/** JavaScript heaps: the runner's own, and the worker's, where objects of WebAssembly GC live. */
export const RUNNER_HEAP_MB = 64
export const WORKER_HEAP_MB = 64
export const WORKER_YOUNG_HEAP_MB = 8
/** Stack of the worker: recursion deeper than this is a trap. */
export const WORKER_STACK_MB = 4
/** Machine code made from a module. */
export const MAX_CODE_MB = 256

/** A runner that does not end by itself this long after the outcome is known ends itself by force. */
export const RUNNER_END_LIMIT_MS = 2_000
/** Diagnostics of a crashed runner that are read. */
export const MAX_DIAGNOSTICS_BYTES = 64 * 2 ** 10
/** Process of an earlier daemon: its end is told by its outcome file; this often a crash without one is looked for. */
export const ORPHAN_POLL_MS = 1_000

/** Exit code of a trap: as of an aborted process (128 + SIGABRT), which other runtimes use too. */
export const EXIT_TRAP = 134
/** Exit code of a workload ended by its time limit, as timeout(1) has it. */
export const EXIT_TIME_LIMIT = 124
