declare const brand: unique symbol

/** A decentralised identifier in text form, `did:<method>:<id>`. Made only by `parseDid` and the key functions of `lib/did`. */
export type Did = `did:${string}` & { readonly [brand]: 'Did' }

/** A libp2p peer id in text form (base58btc multihash), for example `12D3KooW…`. */
export type PeerId = string & { readonly [brand]: 'PeerId' }

/** An actor id in text form: the libp2p protobuf of its public key, base32 (RFC 4648) with padding. */
export type ActorId = string & { readonly [brand]: 'ActorId' }

/** Where an actor is reached: the peer that hosts it and its inbox there (`root` for the node's own actor). */
export interface ActorAddress {
  /** Empty only in the empty handle. */
  readonly host: PeerId | ''
  readonly inbox: string
}

/**
 * Full name of an actor (identity-and-actors §8.1). On the wire
 * `{"id":{"pub":…},"did":{"uri":…},"addr":{"host":…,"inbox":…}}`. In the empty handle, the destination of a
 * broadcast, `id` and `did` are empty strings.
 */
export interface Handle {
  readonly id: ActorId | ''
  readonly did: Did | ''
  readonly address: ActorAddress
}
