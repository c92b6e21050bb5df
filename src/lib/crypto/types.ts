/** Keys, signatures and the key store (identity-and-actors §1 to §3). */

import type { AbortOptions } from '../../types/index.ts'

/** Key kinds by their libp2p protobuf names. `Eth` and `Cardano` verify only: their private halves live in wallets. */
export type KeyType = 'Ed25519' | 'Secp256k1' | 'Eth' | 'Cardano'

/** Verifies signatures. Made by `publicKeyFromRaw` and the readers of names; a value that exists is a usable key. */
export interface PublicKey {
  readonly type: KeyType
  /** Raw key: 32 bytes for Ed25519 and Cardano, 33 (compressed) for the others. */
  readonly raw: Uint8Array
  /** True when `signature` is a valid, canonical signature of `data`. Malformed input is false, never a throw. */
  verify(data: Uint8Array, signature: Uint8Array): boolean
}

/** Signs. Holds a secret: never logged, and written only through a `KeyStore`. */
export interface PrivateKey {
  readonly type: 'Ed25519' | 'Secp256k1'
  readonly publicKey: PublicKey
  sign(data: Uint8Array): Uint8Array
  /** libp2p protobuf form (§1.2), the plaintext of a keystore file. Secret. */
  toProtobuf(): Uint8Array
}

/** Private keys on disk, each sealed with a passphrase (§3). */
export interface KeyStore {
  /** Names of the stored keys, sorted. */
  list(): Promise<string[]>
  exists(name: string): Promise<boolean>
  /**
   * Unseals a key. Costs about a second and 256 MiB by design; the work runs on the thread pool.
   * @throws KeyStoreError
   */
  open(name: string, passphrase: string, options?: AbortOptions): Promise<PrivateKey>
  /** Seals and writes a key, replacing one of that name without asking. @throws KeyStoreError */
  save(name: string, key: PrivateKey, passphrase: string, options?: AbortOptions): Promise<void>
  /** Removes a key, which needs its passphrase. @throws KeyStoreError */
  remove(name: string, passphrase: string, options?: AbortOptions): Promise<void>
}
