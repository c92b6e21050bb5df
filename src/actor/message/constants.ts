/** Bounds of one message (identity-and-actors §8, §10.1). */

/** Largest envelope text: the 1 MiB of the stream protocol less its 8 bytes of length. */
export const MAX_ENVELOPE_BYTES = 1_048_568

/**
 * Largest payload that surely fits: base64 makes four bytes of three, and 16 KiB of tokens and the names need room.
 * What may be longer (logs, lists) has to be cut into pages.
 */
export const MAX_PAYLOAD_BYTES = 750_000

/**
 * Commas in an envelope's text. An honest one has about fifteen; text of a million small members would keep the
 * exact JSON reader busy for a quarter of a second, so it is turned away unread.
 */
export const MAX_ENVELOPE_COMMAS = 256

/** Nesting of an envelope is 3; unknown members may go deeper. */
export const MAX_ENVELOPE_DEPTH = 8

/** Characters of a behaviour or topic name. */
export const MAX_NAME_LENGTH = 1024

/** Characters of an inbox: ensemble ids have 64, allocation ids a node and a name more. */
export const MAX_INBOX_LENGTH = 512

/** Largest unsigned 64-bit integer: nonces and expiries are Go `uint64`. */
export const MAX_UINT64 = 0xffff_ffff_ffff_ffffn

/** Bounds on a tree of reasons that a peer sends. */
export const MAX_PEER_REFUSAL_NODES = 512
export const MAX_PEER_REFUSAL_TEXT = 2048
