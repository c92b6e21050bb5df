/**
 * ECDSA on secp256k1: libp2p keys (over SHA-256, by `node:crypto`) and Ethereum or Ledger keys (`ethereum.ts`). Signatures are DER, read strictly: each (r, s) has one encoding. Written with low
 * s; read with either, as existing verifiers do (§12.7). That is harmless here because nothing is ever identified
 * by its signature.
 */

import { createECDH, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { bytesToHex, concatBytes, hexToBytes } from '../../utils/index.ts'
import { KeyFormatError } from './errors.ts'
import { verifyPersonalMessage } from './ethereum.ts'
import type { PrivateKey, PublicKey } from './types.ts'

const COMPRESSED_LENGTH = 33
const SCALAR_LENGTH = 32
const CURVE = 'secp256k1'

/** DER prefixes: SubjectPublicKeyInfo of a compressed point, and SEC1 private key with the curve's name behind. */
const SPKI_PREFIX = hexToBytes('3036301006072a8648ce3d020106052b8104000a032200')
const SEC1_PREFIX = hexToBytes('302e0201010420')
const SEC1_SUFFIX = hexToBytes('a00706052b8104000a')

/** Order of the group (SEC 2 §2.4.1). */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** Protobuf header of a Secp256k1 private key: type 2, 32 bytes (§1.2). */
const PRIVATE_HEADER = hexToBytes('08021220')

/** A key from its compressed point. @throws KeyFormatError when it is not a point of the curve. */
export function secp256k1PublicKey(type: 'Secp256k1' | 'Eth', raw: Uint8Array): PublicKey {
  if (raw.length !== COMPRESSED_LENGTH || (raw[0] !== 2 && raw[0] !== 3)) {
    throw new KeyFormatError(
      `a ${type} public key is a compressed point of 33 bytes, not ${raw.length} bytes`
    )
  }
  try {
    return new Secp256k1PublicKey(type, raw.slice(), importPoint(raw))
  } catch (cause) {
    throw new KeyFormatError(`the ${type} public key is not a point of the curve`, { cause })
  }
}

/** A key from its scalar. @throws KeyFormatError when it is not in [1, order). */
export function secp256k1PrivateKey(scalar: Uint8Array): PrivateKey {
  const value = scalar.length === SCALAR_LENGTH ? BigInt(`0x${bytesToHex(scalar)}`) : 0n
  if (value === 0n || value >= ORDER)
    throw new KeyFormatError('the Secp256k1 private key is not a valid scalar')
  return new Secp256k1PrivateKey(scalar.slice())
}

function importPoint(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(concatBytes(SPKI_PREFIX, raw)), format: 'der', type: 'spki' })
}

class Secp256k1PublicKey implements PublicKey {
  readonly type: 'Secp256k1' | 'Eth'
  readonly raw: Uint8Array
  readonly #key: KeyObject

  constructor(type: 'Secp256k1' | 'Eth', raw: Uint8Array, key: KeyObject) {
    this.type = type
    this.raw = raw
    this.#key = key
  }

  verify(data: Uint8Array, signature: Uint8Array): boolean {
    if (readDerSignature(signature) === undefined) return false
    return this.type === 'Secp256k1'
      ? verify('sha256', data, this.#key, signature)
      : verifyPersonalMessage(data, signature, this.raw)
  }
}

class Secp256k1PrivateKey implements PrivateKey {
  readonly type = 'Secp256k1'
  readonly publicKey: PublicKey
  readonly #scalar: Uint8Array
  readonly #key: KeyObject

  constructor(scalar: Uint8Array) {
    this.#scalar = scalar
    const der = Buffer.from(concatBytes(SEC1_PREFIX, scalar, SEC1_SUFFIX))
    this.#key = createPrivateKey({ key: der, format: 'der', type: 'sec1' })
    const point = createECDH(CURVE)
    point.setPrivateKey(scalar)
    this.publicKey = secp256k1PublicKey('Secp256k1', new Uint8Array(point.getPublicKey(null, 'compressed')))
  }

  sign(data: Uint8Array): Uint8Array {
    const pair = sign('sha256', data, { key: this.#key, dsaEncoding: 'ieee-p1363' })
    const r = BigInt(`0x${bytesToHex(pair.subarray(0, 32))}`)
    const s = BigInt(`0x${bytesToHex(pair.subarray(32))}`)
    return writeDerSignature(r, s)
  }

  toProtobuf(): Uint8Array {
    return concatBytes(PRIVATE_HEADER, this.#scalar)
  }
}

/** DER of (r, s) with s made low; also the form in which a Ledger's answer is stored (§2.5). */
export function writeDerSignature(r: bigint, s: bigint): Uint8Array {
  const low = s > ORDER / 2n ? ORDER - s : s
  const body = concatBytes(derInteger(r), derInteger(low))
  return concatBytes(Uint8Array.of(0x30, body.length), body)
}

function derInteger(value: bigint): Uint8Array {
  const hex = value.toString(16)
  const bytes = hexToBytes(hex.length % 2 === 0 ? hex : `0${hex}`)
  const padded = Number(bytes[0]) >= 0x80 ? concatBytes(Uint8Array.of(0), bytes) : bytes
  return concatBytes(Uint8Array.of(2, padded.length), padded)
}

/** Reads strict DER: minimal lengths and integers, nothing behind, r and s in [1, order). */
function readDerSignature(signature: Uint8Array): { r: bigint; s: bigint } | undefined {
  if (signature.length < 8 || signature.length > 72) return undefined
  if (signature[0] !== 0x30 || signature[1] !== signature.length - 2) return undefined
  const r = readDerInteger(signature, 2)
  const s = r && readDerInteger(signature, r.end)
  if (r === undefined || s === undefined || s.end !== signature.length) return undefined
  return { r: r.value, s: s.value }
}

function readDerInteger(bytes: Uint8Array, at: number): { value: bigint; end: number } | undefined {
  const [tag, length = 0, first = 0, second = 0] = bytes.subarray(at)
  const end = at + 2 + length
  if (tag !== 2 || length === 0 || length > 33 || end > bytes.length) return undefined
  if (first >= 0x80) return undefined // negative
  if (first === 0 && length > 1 && second < 0x80) return undefined // not minimal
  const value = BigInt(`0x${bytesToHex(bytes.subarray(at + 2, end))}`)
  return isEcdsaNumber(value) ? { value, end } : undefined
}

/** Whether r or s of a signature is in [1, order). */
export function isEcdsaNumber(value: bigint): boolean {
  return value > 0n && value < ORDER
}
