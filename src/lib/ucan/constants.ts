/** Limits of the capability layer. */

/** Bytes of the token list of one message (identity-and-actors §7.4). Existing receivers refuse more. */
export const MAX_BLOB_LENGTH = 16_384

/** Characters of a token or token list given by a person, several hundred tokens. */
export const MAX_TEXT_LENGTH = 1_048_576

/** Characters of a capability file, about 20,000 anchors. */
export const MAX_FILE_LENGTH = 33_554_432

/** Links of a chain. A blob of 16 KiB holds below 50 links, so no chain of an existing sender is affected. */
export const MAX_CHAIN_LENGTH = 64

/** Capabilities and topics of one token, and characters of one of them: bounds the quadratic comparison of lists. */
export const MAX_NAMES = 256
export const MAX_NAME_LENGTH = 1024

/** Bytes of a token's nonce that are written (§5.2), and the most that are read. */
export const NONCE_LENGTH = 12
export const MAX_NONCE_LENGTH = 64

/** Bytes of a signature that are read: 64, about 72 in DER, a few hundred from a Cardano wallet. */
export const MAX_SIGNATURE_LENGTH = 8192

/** The largest expiry and depth (§5.2). */
export const MAX_UINT64 = 2n ** 64n - 1n

/** Tokens in one message that are looked at. */
export const MAX_TOKENS_IN_BLOB = 64

/** Chained proofs put into one message. More would only repeat the same right and fill the blob. */
export const MAX_PROOFS = 8

/** Anchors of one kind in a context. */
export const MAX_ANCHORS = 100_000

/** Token chains whose signatures were found good, about 150 bytes each. */
export const MAX_VERIFIED_CHAINS = 4096

/** Reasons listed under one refusal. */
export const MAX_REASONS = 16

/**
 * Tokens of one message that are verified although a link of them was revoked, to tell their bearer so. An honest
 * sender shows one chain for each network it belongs to.
 */
export const MAX_REVOKED_EXPLAINED = 4

/** Backups kept of each capability file. */
export const MAX_BACKUPS = 5

/** Depth of the reply delegation in a request: the receiver may invoke, not delegate on (§7.7). */
export const REPLY_DEPTH = 1n

/** Tokens by which a caller without a fitting anchor shows whom it has its powers from. */
export const MAX_INTRODUCTIONS = 2
