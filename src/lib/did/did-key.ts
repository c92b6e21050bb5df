/** The method `did:key` (§2.2): multibase base58btc of a multicodec and the raw key. */

import type { Did } from '../../types/index.ts'
import { bytesToHex, concatBytes, errorMessage, hexToBytes, memoize } from '../../utils/index.ts'
import {
  base58ToBytes,
  bytesToBase58,
  type KeyType,
  type PublicKey,
  publicKeyFromRaw
} from '../crypto/index.ts'
import { didMethod } from './did.ts'
import { DidError } from './errors.ts'

const PREFIX = 'did:key:z'

/** Multicodecs as varint bytes. 0xef01 and 0xef02 are private values of NuNet. */
const CODECS: Readonly<Record<KeyType, Uint8Array>> = {
  Ed25519: hexToBytes('ed01'),
  Secp256k1: hexToBytes('e701'),
  Eth: hexToBytes('81de03'),
  Cardano: hexToBytes('82de03')
}
const TYPES: readonly KeyType[] = ['Ed25519', 'Secp256k1', 'Eth', 'Cardano']

/** DIDs remembered with their imported keys, about 1 KiB each. */
const MEMO_LIMIT = 4096

/** The DID of a key. */
export function didOf(key: PublicKey): Did {
  return `${PREFIX}${bytesToBase58(concatBytes(CODECS[key.type], key.raw))}` as Did // built as §2.2 says
}

const keyOfDid = memoize(MEMO_LIMIT, (did: Did): PublicKey => {
  if (!did.startsWith(PREFIX)) throw new DidError(`it is not base58btc`)
  const bytes = base58ToBytes(did.slice(PREFIX.length))
  for (const type of TYPES) {
    const codec = CODECS[type]
    if (codec.every((byte, index) => bytes[index] === byte))
      return publicKeyFromRaw(type, bytes.subarray(codec.length))
  }
  throw new DidError(`its key type 0x${bytesToHex(bytes.subarray(0, 3))} is unknown`)
})

/**
 * The key inside a `did:key`. Other methods need a resolver and are refused here.
 * @throws DidError
 */
export function publicKeyOfDid(did: Did): PublicKey {
  if (didMethod(did) !== 'key')
    throw new DidError(`the key of '${did}' cannot be found: the method must be 'key'`)
  try {
    return keyOfDid(did)
  } catch (cause) {
    throw new DidError(`the key of '${did.slice(0, 80)}' cannot be read: ${errorMessage(cause)}`, { cause })
  }
}
