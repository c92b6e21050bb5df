/** Limits of the key agent and their reasons. */

/** Longest line in either direction, in bytes: the text of a token with its chain (16 KiB in a message) in base64, with room. */
export const MAX_FRAME_LENGTH = 65_536

/** Connections served at once. A command keeps one. */
export const MAX_CONNECTIONS = 16

/** Keys held at once; their list must fit in a frame. */
export const MAX_KEYS = 32

/** Longest name of a key, in UTF-16 units: what a file system takes. */
export const MAX_NAME_LENGTH = 255

/** Longest passphrase, in UTF-16 units: as long as one read from a descriptor. */
export const MAX_PASSPHRASE_LENGTH = 4096

/** Derivations that wait for the one that runs: each takes 256 MiB and most of a second. */
export const MAX_WAITING_UNLOCKS = 4

/** Wrong passphrases in a row before the next try has to wait. */
export const FREE_TRIES = 3

/** First wait after those, doubled with each further one. Milliseconds. */
export const FIRST_DELAY_MS = 1000

/** Longest such wait. Milliseconds. */
export const MAX_DELAY_MS = 60_000

/** Between two looks at deadlines, the socket file and the session. Milliseconds. */
export const WATCH_MS = 2000

/** A line that was begun must be complete after this. Milliseconds. */
export const FRAME_TIMEOUT_MS = 10_000

/** A connection that asks nothing for so long is closed; the client opens another when it needs one. Milliseconds. */
export const QUIET_TIMEOUT_MS = 60_000

/** How long a client waits for anything but an unlock: the agent answers from memory. Milliseconds. */
export const ANSWER_TIMEOUT_MS = 3000

/** How long a client waits for an unlock: the derivations before it, each on a slow machine. Milliseconds. */
export const UNLOCK_TIMEOUT_MS = 60_000

/** Longest path of a Unix socket on Linux, in bytes without the closing zero (unix(7): `sun_path` has 108). */
export const MAX_SOCKET_PATH = 107

/** Questions of one connection that may wait while one is answered. */
export const MAX_WAITING_LINES = 16
