import type { PrivateKey } from '../crypto/index.ts'
import { didOf } from './did-key.ts'
import type { Signer } from './types.ts'

/** Signs with a key in memory, for that key's own DID. */
export function keySigner(key: PrivateKey): Signer {
  return { did: didOf(key.publicKey), sign: data => key.sign(data) }
}
