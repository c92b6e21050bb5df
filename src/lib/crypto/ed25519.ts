/**
 * Ed25519 (RFC 8032) on `node:crypto`, with the strict reading where implementations differ: the scalar of a
 * signature must be below the group order (no second signature for the same message), and a public key must be
 * canonically encoded and not of small order (such a key accepts a signature for many messages).
 */

import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { bytesEqual, bytesToHex, concatBytes, hexToBytes } from '../../utils/index.ts'
import { KeyFormatError } from './errors.ts'
import type { PrivateKey, PublicKey } from './types.ts'

const KEY_LENGTH = 32
const SIGNATURE_LENGTH = 64

/** DER prefixes of a raw key (RFC 8410 §4 and §7). */
const SPKI_PREFIX = hexToBytes('302a300506032b6570032100')
const PKCS8_PREFIX = hexToBytes('302e020100300506032b657004220420')

/** Field prime 2^255 - 19 and group order L, little endian. */
const FIELD_PRIME = hexToBytes('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')
const GROUP_ORDER = hexToBytes('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')

/** y coordinates, little endian without the sign bit, of the eight points whose order divides 8. */
const SMALL_ORDER_Y: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'
])

/** A key from its 32 bytes. @throws KeyFormatError for another length, a non-canonical encoding or small order. */
export function ed25519PublicKey(raw: Uint8Array): PublicKey {
  checkPoint(raw)
  return new Ed25519PublicKey('Ed25519', raw.slice())
}

/** A key from its 32 byte seed. @throws KeyFormatError for another length. */
export function ed25519PrivateKey(seed: Uint8Array): PrivateKey {
  if (seed.length !== KEY_LENGTH) throw new KeyFormatError(`an Ed25519 seed has 32 bytes, not ${seed.length}`)
  return new Ed25519PrivateKey(seed.slice())
}

/** Whether the bytes are a canonical encoding of a y coordinate that is not of small order. */
export function checkPoint(raw: Uint8Array): void {
  if (raw.length !== KEY_LENGTH)
    throw new KeyFormatError(`an Ed25519 public key has 32 bytes, not ${raw.length}`)
  const y = raw.slice()
  y[31] = Number(y[31]) & 0x7f
  if (!isBelow(y, FIELD_PRIME)) throw new KeyFormatError('the Ed25519 public key is not canonically encoded')
  if (SMALL_ORDER_Y.has(bytesToHex(y))) throw new KeyFormatError('the Ed25519 public key is of small order')
}

/** Verifies with a key object of `importEd25519`. */
export function verifyEd25519(key: KeyObject, data: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_LENGTH || !isBelow(signature.subarray(32), GROUP_ORDER)) return false
  return verify(null, data, key, signature)
}

/** As a JWK (RFC 8037 §2), which OpenSSL takes in a fifth less time than DER. */
export function importEd25519(raw: Uint8Array): KeyObject {
  const x = Buffer.from(raw).toString('base64url')
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
}

/** Compares two little endian numbers of 32 bytes. */
function isBelow(value: Uint8Array, bound: Uint8Array): boolean {
  let top = KEY_LENGTH - 1
  while (top > 0 && value[top] === bound[top]) top--
  return Number(value[top]) < Number(bound[top])
}

class Ed25519PublicKey implements PublicKey {
  readonly type: 'Ed25519'
  readonly raw: Uint8Array
  /** Imported at first use: many keys are only named, never verified with. */
  #key: KeyObject | undefined

  constructor(type: 'Ed25519', raw: Uint8Array) {
    this.type = type
    this.raw = raw
  }

  verify(data: Uint8Array, signature: Uint8Array): boolean {
    this.#key ??= importEd25519(this.raw)
    return verifyEd25519(this.#key, data, signature)
  }
}

class Ed25519PrivateKey implements PrivateKey {
  readonly type = 'Ed25519'
  readonly publicKey: PublicKey
  readonly #seed: Uint8Array
  readonly #key: KeyObject

  constructor(seed: Uint8Array) {
    this.#seed = seed
    this.#key = createPrivateKey({
      key: Buffer.from(concatBytes(PKCS8_PREFIX, seed)),
      format: 'der',
      type: 'pkcs8'
    })
    const spki = createPublicKey(this.#key).export({ format: 'der', type: 'spki' })
    this.publicKey = ed25519PublicKey(new Uint8Array(spki.subarray(SPKI_PREFIX.length)))
  }

  sign(data: Uint8Array): Uint8Array {
    return new Uint8Array(sign(null, data, this.#key))
  }

  toProtobuf(): Uint8Array {
    return concatBytes(ED25519_PRIVATE_HEADER, this.#seed, this.publicKey.raw)
  }
}

/** Protobuf header of an Ed25519 private key: type 1, 64 bytes (§1.2). */
const ED25519_PRIVATE_HEADER = hexToBytes('08011240')

/** Reads the 64 bytes seed + public key, or 96 of old go-libp2p with the public key twice. */
export function ed25519PrivateKeyFromPair(pair: Uint8Array): PrivateKey {
  if (pair.length !== 64 && pair.length !== 96) {
    throw new KeyFormatError(`an Ed25519 private key has 64 bytes, not ${pair.length}`)
  }
  const key = ed25519PrivateKey(pair.subarray(0, 32))
  for (let at = 32; at < pair.length; at += 32) {
    if (!bytesEqual(pair.subarray(at, at + 32), key.publicKey.raw)) {
      throw new KeyFormatError('the public half of the Ed25519 private key does not belong to its seed')
    }
  }
  return key
}
