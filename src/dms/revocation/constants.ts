/** Limits of what a node takes in about revocations from others, each with its unit and reason. */

/** Gossip topic. Below `/nunet`, so that what members of a restricted network usually hold suffices. */
export const REVOCATION_TOPIC = '/nunet/revocation'

/** Behaviour of the broadcast; below `/broadcast` for the same reason. An extension of ours. */
export const REVOKE_BEHAVIOR = '/broadcast/cap/revoke'

/** Behaviour to which receivers of the broadcast answer: fixed and below `/broadcast`, so that members may call it. */
export const REVOKE_REPLY = '/broadcast/cap/revoke/taken'

/** Behaviour by which a node asks another for what it lacks. An extension of ours. */
export const LACKING_BEHAVIOR = '/public/cap/revocations'

/** Revocations kept in all, about 10 MB of the capability file. What comes beyond is refused and reported, nothing is evicted. */
export const MAX_REVOCATIONS = 20_000

/**
 * Of these, revocations by others than the DIDs this node's anchors name. The rest is kept free for those, so that no
 * number of members can keep an organisation's own revocation out.
 */
export const MAX_PROVEN = 10_000

/** Of these, revocations by one DID the anchors name, an organisation. Owner and roots are not limited. */
export const MAX_PER_ISSUER = 5000

/**
 * Characters of the revocations by others than owner and roots, and of those by others than the DIDs the anchors name:
 * 20,000 of the usual 500 characters. The longest would otherwise make the capability file longer than what is read.
 */
export const MAX_TOTAL_LENGTH = 10_485_760
export const MAX_PROVEN_LENGTH = 5_242_880

/** Revocations charged to one member: its own, and those of everybody whose power came through it. */
export const MAX_PER_MEMBER = 500

/** Characters of one revocation, and of the token that proves it. A message could not carry a longer chain anyway. */
export const MAX_REVOCATION_LENGTH = 4096
export const MAX_PROOF_LENGTH = 16_384

/** Revocations in one message by broadcast or by hand. */
export const MAX_PER_MESSAGE = 64

/** Offers that wait for their turn to be written; later ones are turned away and come again with the next sync. */
export const MAX_WAITING_OFFERS = 64

/** How long offers wait for keys of their issuers to be looked up. Milliseconds. */
export const LOOKUP_LIMIT_MS = 10_000

/** Proofs of one batch whose issuers are looked up, a few keys each; the rest follows when they are offered again. */
export const MAX_PROOFS_LOOKED_UP = 8

/** Groups of revocations that two nodes compare by digest. */
export const BUCKETS = 256

/** Characters of revocations and proofs in one page: far below the payload of a message. */
export const PAGE_LENGTH = 262_144

/** Pages asked of one peer in one sync, 16 MB: a liar must not hold us up for long. The next sync goes on there. */
export const MAX_PAGES = 64

/** Signatures verified in one batch only to tell whether something real was turned away for lack of room. */
export const MAX_TURNED_AWAY_CHECKED = 8

/** A peer that knows the behaviour answers from memory. Milliseconds. */
export const ASK_TIMEOUT_MS = 10_000

/** Spread of the first question to a peer after it was met, so that a crowd does not ask at once. Milliseconds. */
export const ASK_SPREAD_MS = 1000

/** A peer that comes and goes is asked no more often than this. Milliseconds. */
export const MIN_ASK_INTERVAL_MS = 10_000

/** Waits before a peer that did not answer is asked again; after them it waits for its turn. Milliseconds. */
export const RETRY_MS: readonly number[] = [3000, 15_000]

/** Between two rounds in which peers are asked again. Milliseconds. */
export const ROUND_MS = 300_000

/** Peers asked in one round: those whose answer is the oldest. */
export const PEERS_PER_ROUND = 3

/** With this many fresh answers a newly met peer waits for its round: knowledge spreads without everybody asking everybody. */
export const ENOUGH_ANSWERS = 4

/** Questions under way at once. */
export const MAX_ASKING = 2

/** Peers whose last answer is remembered; the one asked longest ago is forgotten. */
export const MAX_REMEMBERED_PEERS = 1024

/** An answer counts as current for this long while the peer stays connected: three rounds. Milliseconds. */
export const FRESH_MS = 3 * ROUND_MS

/** How often the time of current knowledge is stored: a crash makes it older by at most this. Milliseconds. */
export const REMEMBER_MS = 60_000

/** Age from which knowledge of revocations is warned about: a day off is a holiday, more is a risk. Milliseconds. */
export const STALE_MS = 24 * 3_600_000
