/** Points of secp256k1 in the forms of SEC 1 §2.3.3, as wallets and DID documents write them. */

import { ECDH } from 'node:crypto'
import { errorMessage } from '../../utils/index.ts'
import { KeyFormatError } from './errors.ts'
import { secp256k1PublicKey } from './secp256k1.ts'
import type { PublicKey } from './types.ts'

/** Bytes of the longest form: a tag and two coordinates. */
const MAX_POINT_LENGTH = 65

/** A key from a point in any form: compressed, uncompressed or hybrid. @throws KeyFormatError */
export function publicKeyFromPoint(type: 'Secp256k1' | 'Eth', point: Uint8Array): PublicKey {
  try {
    const bytes = point.subarray(0, MAX_POINT_LENGTH + 1)
    const compressed = ECDH.convertKey(bytes, 'secp256k1', undefined, undefined, 'compressed')
    return secp256k1PublicKey(type, new Uint8Array(compressed as Buffer)) // bytes, as no output encoding was asked for
  } catch (cause) {
    throw new KeyFormatError(`the ${type} public key is not a point of secp256k1: ${errorMessage(cause)}`, {
      cause
    })
  }
}
