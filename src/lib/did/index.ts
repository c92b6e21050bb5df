/**
 * Decentralised identifiers (identity-and-actors §2): `did:key` for Ed25519, secp256k1, Ethereum (Ledger) and
 * Cardano keys, and the conversions between DID, peer id and actor id.
 *
 * @example
 * ```ts
 * import { parseDid, rootHandleOfDid } from 'nunet-dms/did'
 *
 * const did = parseDid('did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK')
 * console.log(rootHandleOfDid(did).address.inbox) // root
 * ```
 *
 * @packageDocumentation
 */
export { didMethod, isDid, MAX_DID_LENGTH, parseDid } from './did.ts'
export { type KeyRelationship, MAX_DID_DOCUMENT, publicKeyOfDocument } from './did-document.ts'
export { didOf, publicKeyOfDid } from './did-key.ts'
export {
  createDidResolver,
  DID_CACHE_LIFE_MS,
  DID_CACHE_MAX_AGE_MS,
  DID_FAILURE_LIFE_MS,
  DID_FETCH_LIMIT_MS,
  type DidResolver,
  type DidResolverDeps,
  type FetchDocument
} from './did-resolver.ts'
export {
  DidError,
  DidResolutionError,
  type DidResolutionErrorCode,
  WalletError,
  type WalletErrorCode
} from './errors.ts'
export { ETERNL_PROGRAM, openEternl } from './eternl.ts'
export { LEDGER_PROGRAM, MAX_LEDGER_ACCOUNT, openLedger } from './ledger.ts'
export {
  actorIdOfDid,
  didOfActorId,
  didOfPeerId,
  EMPTY_HANDLE,
  peerIdOfDid,
  rootHandleOfDid,
  rootHandleOfPeer
} from './names.ts'
export { type HttpGet, prismDocuments, prismDocumentUrl } from './prism-http.ts'
export { bindPrismDid, prismDidOf, signerFor } from './prism-names.ts'
export { createPrismOperation, didOfPrismOperation, signPrismOperation } from './prism-operation.ts'
export { keySigner } from './signer.ts'
export type { EternlProgram, LedgerProgram, Signer } from './types.ts'
export { MAX_WALLET_ANSWER } from './wallet-answer.ts'
