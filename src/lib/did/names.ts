/** Conversions between the spellings of one public key (§1.5). */

import type { ActorId, Did, Handle, PeerId } from '../../types/index.ts'
import { memoize } from '../../utils/index.ts'
import { actorIdOf, peerIdOf, publicKeyOfActorId, publicKeyOfPeerId } from '../crypto/index.ts'
import { didOf, publicKeyOfDid } from './did-key.ts'

/** Inbox of a node's own actor. */
const ROOT_INBOX = 'root'

const MEMO_LIMIT = 4096

/** @throws KeyFormatError when the id is not one. */
export const didOfActorId: (id: ActorId) => Did = memoize(MEMO_LIMIT, id => didOf(publicKeyOfActorId(id)))

/** @throws KeyFormatError when the id is not one. */
export const didOfPeerId: (peer: PeerId) => Did = memoize(MEMO_LIMIT, peer => didOf(publicKeyOfPeerId(peer)))

/** @throws DidError when the DID is no key, KeyFormatError when it is a wallet's. */
export const peerIdOfDid: (did: Did) => PeerId = memoize(MEMO_LIMIT, did => peerIdOf(publicKeyOfDid(did)))

/** @throws DidError when the DID is no key, KeyFormatError when it is a wallet's. */
export const actorIdOfDid: (did: Did) => ActorId = memoize(MEMO_LIMIT, did => actorIdOf(publicKeyOfDid(did)))

/** Destination of a broadcast. */
export const EMPTY_HANDLE: Handle = Object.freeze({
  id: '',
  did: '',
  address: Object.freeze({ host: '', inbox: '' })
})

/** The handle of a node's own actor. @throws KeyFormatError */
export function rootHandleOfPeer(peer: PeerId): Handle {
  const key = publicKeyOfPeerId(peer)
  return { id: actorIdOf(key), did: didOf(key), address: { host: peer, inbox: ROOT_INBOX } }
}

/** The handle of a node's own actor. @throws DidError, or KeyFormatError for a wallet's DID. */
export function rootHandleOfDid(did: Did): Handle {
  return rootHandleOfPeer(peerIdOfDid(did))
}
