/** Keys in the libp2p protobuf form (§1.2). Read strictly, so that one key has one encoding and so one actor id. */

import type { RandomSource } from '../../types/index.ts'
import { concatBytes } from '../../utils/index.ts'
import { cardanoPublicKey } from './cardano.ts'
import { ed25519PrivateKey, ed25519PrivateKeyFromPair, ed25519PublicKey } from './ed25519.ts'
import { KeyFormatError } from './errors.ts'
import { secp256k1PrivateKey, secp256k1PublicKey } from './secp256k1.ts'
import type { KeyType, PrivateKey, PublicKey } from './types.ts'

/** Protobuf key types that may name actors and peers (§1.1). */
const TYPE_NUMBERS = { Ed25519: 1, Secp256k1: 2 } as const

/** A new Ed25519 key, the only kind that is generated (§1.1). */
export function generateKey(random: RandomSource): PrivateKey {
  return ed25519PrivateKey(random.bytes(32))
}

/** The Ed25519 key of a 32 byte seed. @throws KeyFormatError */
export function privateKeyFromSeed(seed: Uint8Array): PrivateKey {
  return ed25519PrivateKey(seed)
}

/** A public key from its raw bytes. @throws KeyFormatError */
export function publicKeyFromRaw(type: KeyType, raw: Uint8Array): PublicKey {
  if (type === 'Ed25519') return ed25519PublicKey(raw)
  return type === 'Cardano' ? cardanoPublicKey(raw) : secp256k1PublicKey(type, raw)
}

/** Reads the plaintext of a keystore file. @throws KeyFormatError */
export function privateKeyFromProtobuf(bytes: Uint8Array): PrivateKey {
  const { type, data } = readMessage(bytes, 'private key')
  return type === 'Ed25519' ? ed25519PrivateKeyFromPair(data) : secp256k1PrivateKey(data)
}

/** Reads what `publicKeyToProtobuf` writes. @throws KeyFormatError */
export function publicKeyFromProtobuf(bytes: Uint8Array): PublicKey {
  const { type, data } = readMessage(bytes, 'public key')
  return publicKeyFromRaw(type, data)
}

/** @throws KeyFormatError for wallet keys, which may not name actors or peers. */
export function publicKeyToProtobuf(key: PublicKey): Uint8Array {
  if (key.type !== 'Ed25519' && key.type !== 'Secp256k1') {
    throw new KeyFormatError(`a key of type ${key.type} cannot name an actor or a peer`)
  }
  return concatBytes(Uint8Array.of(0x08, TYPE_NUMBERS[key.type], 0x12, key.raw.length), key.raw)
}

function readMessage(bytes: Uint8Array, what: string): { type: 'Ed25519' | 'Secp256k1'; data: Uint8Array } {
  const [tag, number, dataTag, length] = bytes
  if (tag !== 0x08 || dataTag !== 0x12 || length !== bytes.length - 4) {
    throw new KeyFormatError(`${bytes.length} bytes are not a ${what} in libp2p form`)
  }
  const data = bytes.subarray(4)
  if (number === TYPE_NUMBERS.Ed25519) return { type: 'Ed25519', data }
  if (number === TYPE_NUMBERS.Secp256k1) return { type: 'Secp256k1', data }
  throw new KeyFormatError(`key type ${number} cannot name an actor or a peer; expected Ed25519 or Secp256k1`)
}
