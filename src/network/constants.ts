/** Limits of the message protocol (runtime §1.6, §8). */

/** Bytes of a message with its header, sent or received. */
export const MAX_MESSAGE_BYTES = 1_048_576

/** Length prefix: unsigned 64-bit little endian. */
export const MESSAGE_HEADER_BYTES = 8

/** A message that takes longer to arrive resets its stream. */
export const MESSAGE_READ_LIMIT_MS = 30_000

/** Sends under way at once; more wait is refused, so that a flood cannot exhaust memory. */
export const MAX_SENDS_IN_FLIGHT = 4096

/** Bytes of all sends under way at once: 4096 messages of the largest size would be 4 GiB. */
export const MAX_SEND_BYTES_IN_FLIGHT = 67_108_864

/**
 * Payload of a broadcast. The limit of 1 MiB (runtime §8) is that of a gossip packet of the existing network, which
 * also holds sender, topic, sequence number and signature: 1 KiB is kept for them.
 */
export const MAX_BROADCAST_BYTES = MAX_MESSAGE_BYTES - 1024

/** Look-up of an unknown peer's addresses in the DHT. */
export const PEER_LOOKUP_LIMIT_MS = 3_000

/** Dial of all bootstrap peers together. */
export const BOOTSTRAP_LIMIT_MS = 10_000

/** Connecting to a peer for a message, look-up included: callers plan with answers in seconds. */
export const CONNECT_LIMIT_MS = 5_000

/** DHT protocol of the existing network (runtime §1.2). */
export const DHT_PROTOCOL = '/nunet/kad/1.0.0'
