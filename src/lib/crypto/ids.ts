/** Actor ids and peer ids: two spellings of one public key (§1.3, §1.4). */

import type { ActorId, PeerId } from '../../types/index.ts'
import { base32ToBytes, bytesToBase32, concatBytes, errorMessage, memoize } from '../../utils/index.ts'
import { base58ToBytes, bytesToBase58 } from './base58.ts'
import { KeyFormatError } from './errors.ts'
import { publicKeyFromProtobuf, publicKeyToProtobuf } from './keys.ts'
import type { PublicKey } from './types.ts'

/** Identity multihash code (multiformats table): the digest is the key itself. */
const IDENTITY_HASH = 0x00

/** Names remembered with their imported keys: the peers and actors of a busy node, about 1 KiB each. */
const MEMO_LIMIT = 2048

/** Longest text looked at; a Secp256k1 actor id has 64 characters. */
const MAX_ID_LENGTH = 128

const keyOfActor = memoize(MEMO_LIMIT, (text: string): PublicKey => {
  if (text.length > MAX_ID_LENGTH)
    throw new KeyFormatError(`an actor id has at most ${MAX_ID_LENGTH} characters`)
  return publicKeyFromProtobuf(base32ToBytes(text))
})

const keyOfPeer = memoize(MEMO_LIMIT, (text: string): PublicKey => {
  const bytes = base58ToBytes(text)
  if (bytes[0] !== IDENTITY_HASH || bytes[1] !== bytes.length - 2) {
    throw new KeyFormatError('the peer id is not the identity hash of a public key')
  }
  return publicKeyFromProtobuf(bytes.subarray(2))
})

/** The actor id of a key (§1.3). @throws KeyFormatError for wallet keys. */
export function actorIdOf(key: PublicKey): ActorId {
  return bytesToBase32(publicKeyToProtobuf(key)) as ActorId // the text form of a valid key is an actor id
}

/** Checks that the text is an actor id whose key is usable. @throws KeyFormatError */
export function parseActorId(text: string): ActorId {
  explain(() => keyOfActor(text), text, 'an actor id')
  return text as ActorId // decoded without fault
}

/** The key an actor id spells. @throws KeyFormatError */
export function publicKeyOfActorId(id: ActorId): PublicKey {
  return explain(() => keyOfActor(id), id, 'an actor id')
}

/** The peer id of a key (§1.4). @throws KeyFormatError for wallet keys. */
export function peerIdOf(key: PublicKey): PeerId {
  const bytes = publicKeyToProtobuf(key)
  return bytesToBase58(concatBytes(Uint8Array.of(IDENTITY_HASH, bytes.length), bytes)) as PeerId // built as §1.4 says
}

/** Checks that the text is a peer id whose key is usable. @throws KeyFormatError */
export function parsePeerId(text: string): PeerId {
  explain(() => keyOfPeer(text), text, 'a peer id')
  return text as PeerId // decoded without fault
}

/** The key a peer id spells. @throws KeyFormatError */
export function publicKeyOfPeerId(peer: PeerId): PublicKey {
  return explain(() => keyOfPeer(peer), peer, 'a peer id')
}

function explain(read: () => PublicKey, text: string, what: string): PublicKey {
  try {
    return read()
  } catch (cause) {
    throw new KeyFormatError(`'${text.slice(0, MAX_ID_LENGTH)}' is not ${what}: ${errorMessage(cause)}`, {
      cause
    })
  }
}
