/** Bounds on ensembles, from files and from the wire. */

/** Nodes of one ensemble. */
export const MAX_NODES = 1024
/** Allocations of one node. */
export const MAX_ALLOCATIONS_PER_NODE = 64
/** Names, image references and other short texts, UTF-16 units. */
export const MAX_TEXT_LENGTH = 4096
/** Items of any list. */
export const MAX_LIST_LENGTH = 1024

/** UTF-8 bytes of an ensemble file, and of each text file drawn in by a `${file:…}` mark. */
export const MAX_FILE_BYTES = 2 ** 20
/** Nesting of maps and lists in a file; a real ensemble needs about ten. */
export const MAX_FILE_DEPTH = 64
/** Values in a file after aliases are put in: an alias bomb grows a few lines to billions. */
export const MAX_FILE_VALUES = 100_000
/** Problems collected before the reader gives up on the rest. */
export const MAX_PROBLEMS = 100

/** How many marks deep a `${…}` expansion may go: a value that yields itself never ends (deployment §1.6). */
export const MAX_MARK_DEPTH = 16
/** UTF-16 units all marks of one file may produce together. */
export const MAX_EXPANDED_LENGTH = 2 ** 20
/** Marks expanded in one file. */
export const MAX_MARKS = 10_000

/** Bytes of a WASM module before compression. */
export const MAX_MODULE_BYTES = 16 * 2 ** 20

/** An actor message, in bytes (identity-and-actors: the limit of the stream protocol). */
const MAX_MESSAGE_BYTES = 2 ** 20
/** Kept free in the message for the envelope, its signature and its capability tokens. */
const ENVELOPE_RESERVE_BYTES = 64 * 2 ** 10
/**
 * Bytes of an ensemble as JSON. The envelope carries its payload as base64, four bytes for three, so this is
 * what fits. A WASM module is base64 once more inside the JSON: about 540 KiB of compressed modules in all.
 */
export const MAX_ENSEMBLE_JSON_BYTES = Math.floor(((MAX_MESSAGE_BYTES - ENVELOPE_RESERVE_BYTES) * 3) / 4)

/** Public ports an ensemble may ask for; 0 lets the provider choose (deployment §1.4.5). */
export const MIN_PUBLIC_PORT = 1025
export const MAX_PORT = 65_535
