/**
 * Decentralised identifiers (identity-and-actors §2): `did:key` for Ed25519, secp256k1, Ethereum (Ledger) and
 * Cardano keys, and the conversions between DID, peer id and actor id.
 *
 * @example
 * ```ts
 * const did = parseDid('did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK')
 * rootHandleOfDid(did).address.host // '12D3KooW…'
 * ```
 *
 * @packageDocumentation
 */
export { didMethod, isDid, MAX_DID_LENGTH, parseDid } from './did.ts'
export { didOf, publicKeyOfDid } from './did-key.ts'
export { DidError } from './errors.ts'
export {
  actorIdOfDid,
  didOfActorId,
  didOfPeerId,
  EMPTY_HANDLE,
  peerIdOfDid,
  rootHandleOfDid,
  rootHandleOfPeer
} from './names.ts'
export { keySigner } from './signer.ts'
export type { Signer } from './types.ts'
