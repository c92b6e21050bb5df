/** Who the node is: the key of its context, made when it is missing (identity-and-actors §3.6). */

import { generateKey, type KeyStore, KeyStoreError, type PrivateKey } from '../lib/crypto/index.ts'
import type { AbortOptions, RandomSource } from '../types/index.ts'

/** @throws KeyStoreError; the signal's reason, also while the key is being derived */
export async function openNodeKey(
  { store, random }: { store: KeyStore; random: RandomSource },
  name: string,
  passphrase: string,
  options: AbortOptions
): Promise<PrivateKey> {
  try {
    return await store.open(name, passphrase, options)
  } catch (error) {
    if (!(error instanceof KeyStoreError) || error.code !== 'KEY_NOT_FOUND') throw error
    const key = generateKey(random)
    await store.save(name, key, passphrase, options)
    return key
  }
}
