/**
 * Keys, signatures, the names made of keys, and the key store (identity-and-actors §1 and §3). Ed25519 and
 * secp256k1 run on `node:crypto`; keys of Ethereum (Ledger) and Cardano wallets verify only.
 *
 * @example
 * ```ts
 * import { systemRandom } from 'nunet-dms/base'
 * import { generateKey, peerIdOf, publicKeyOfPeerId } from 'nunet-dms/crypto'
 *
 * const key = generateKey(systemRandom)
 * const data = new TextEncoder().encode('hello')
 * const signature = key.sign(data)
 * console.log(publicKeyOfPeerId(peerIdOf(key.publicKey)).verify(data, signature)) // true
 * ```
 *
 * @packageDocumentation
 */
export { base58ToBytes, bytesToBase58, MAX_BASE58_LENGTH } from './base58.ts'
export { KeyFormatError, KeyStoreError, type KeyStoreErrorCode } from './errors.ts'
export {
  actorIdOf,
  parseActorId,
  parsePeerId,
  peerIdOf,
  publicKeyOfActorId,
  publicKeyOfPeerId
} from './ids.ts'
export { createKeyStore } from './key-store.ts'
export {
  generateKey,
  privateKeyFromProtobuf,
  privateKeyFromSeed,
  publicKeyFromProtobuf,
  publicKeyFromRaw,
  publicKeyToProtobuf
} from './keys.ts'
export { publicKeyFromPoint } from './sec1.ts'
export { isEcdsaNumber, writeDerSignature } from './secp256k1.ts'
export type { KeyStore, KeyType, PrivateKey, PublicKey } from './types.ts'
