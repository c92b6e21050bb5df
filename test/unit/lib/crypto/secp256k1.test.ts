import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import {
  KeyFormatError,
  privateKeyFromProtobuf,
  publicKeyFromRaw,
  publicKeyToProtobuf,
  writeDerSignature
} from '../../../../src/lib/crypto/index.ts'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '../../../../src/utils/index.ts'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const scalar = hexToBytes('07'.repeat(32))
const key = privateKeyFromProtobuf(concatBytes(hexToBytes('08021220'), scalar))
const message = utf8ToBytes('message')

function readPair(der: Uint8Array): { r: bigint; s: bigint } {
  return secp256k1.Signature.fromBytes(der, 'der')
}

/** DER as given, without making s low. */
function rawDer(r: bigint, s: bigint): Uint8Array {
  return new secp256k1.Signature(r, s).toBytes('der')
}

function ethSign(data: Uint8Array): { r: bigint; s: bigint } {
  const text = concatBytes(utf8ToBytes(`\x19Ethereum Signed Message:\n${data.length}`), data)
  const digest = keccak_256(text)
  return secp256k1.Signature.fromBytes(secp256k1.sign(digest, scalar, { prehash: false }), 'compact')
}

describe('Secp256k1', () => {
  test('the public key is the compressed point, and both forms are the specified bytes', () => {
    assert.equal(bytesToHex(key.publicKey.raw), bytesToHex(secp256k1.getPublicKey(scalar, true)))
    assert.equal(bytesToHex(publicKeyToProtobuf(key.publicKey)), `08021221${bytesToHex(key.publicKey.raw)}`)
    assert.equal(bytesToHex(key.toProtobuf()), `08021220${bytesToHex(scalar)}`)
  })

  test('signatures are low-S DER over SHA-256 that another library verifies', () => {
    for (let round = 0; round < 16; round++) {
      const signature = key.sign(message)
      assert.equal(key.publicKey.verify(message, signature), true)
      assert.equal(
        secp256k1.verify(signature, message, key.publicKey.raw, { format: 'der', lowS: true }),
        true
      )
    }
  })

  test('a signature of another library verifies; another message does not', () => {
    const signature = secp256k1.sign(message, scalar, { format: 'der' })
    assert.equal(key.publicKey.verify(message, signature), true)
    assert.equal(key.publicKey.verify(utf8ToBytes('other'), signature), false)
  })

  test('high S is read, as existing verifiers do', () => {
    const { r, s } = readPair(key.sign(message))
    assert.equal(key.publicKey.verify(message, rawDer(r, ORDER - s)), true)
  })

  test('anything but strict DER is false, never a throw', () => {
    const der = key.sign(message)
    const { r, s } = readPair(der)
    const rBytes = der.slice(2, 4 + (der[3] ?? 0))
    const sBytes = der.slice(2 + rBytes.length)
    const sequence = (body: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(0x30, body.length), body)
    const padded = concatBytes(Uint8Array.of(2, (rBytes[1] ?? 0) + 1, 0), rBytes.slice(2))
    const bad: Record<string, Uint8Array> = {
      empty: new Uint8Array(),
      'compact form': concatBytes(
        hexToBytes(r.toString(16).padStart(64, '0')),
        hexToBytes(s.toString(16).padStart(64, '0'))
      ),
      'trailing byte': concatBytes(der, Uint8Array.of(0)),
      'trailing byte inside': sequence(concatBytes(rBytes, sBytes, Uint8Array.of(0))),
      'long form length': concatBytes(Uint8Array.of(0x30, 0x81, der[1] ?? 0), der.slice(2)),
      'zero r': sequence(concatBytes(Uint8Array.of(2, 1, 0), sBytes)),
      'no r': sequence(concatBytes(Uint8Array.of(2, 0), sBytes)),
      'negative r': sequence(concatBytes(Uint8Array.of(2, 1, 0x80), sBytes)),
      'truncated s': der.slice(0, -1),
      'wrong tag': Uint8Array.from(der, (byte, index) => (index === 0 ? 0x31 : byte)),
      'padded r': sequence(concatBytes(padded, sBytes)),
      'r not below the order': sequence(
        concatBytes(Uint8Array.of(2, 33, 0), hexToBytes(ORDER.toString(16)), sBytes)
      )
    }
    for (const [name, signature] of Object.entries(bad)) {
      if (name === 'padded r' && (rBytes[2] ?? 0) >= 0x80) continue
      assert.equal(key.publicKey.verify(message, signature), false, name)
    }
  })

  test('the written DER is minimal and low', () => {
    assert.equal(bytesToHex(writeDerSignature(1n, 1n)), '3006020101020101')
    assert.equal(bytesToHex(writeDerSignature(0x80n, 1n)), '300702020080020101')
    assert.equal(bytesToHex(writeDerSignature(1n, ORDER - 5n)), '3006020101020105')
  })

  test('scalars outside of 1 to order - 1 and bytes that are no point are refused', () => {
    for (const value of [0n, ORDER, ORDER + 1n]) {
      const bytes = hexToBytes(value.toString(16).padStart(64, '0'))
      assert.throws(() => privateKeyFromProtobuf(concatBytes(hexToBytes('08021220'), bytes)), KeyFormatError)
    }
    assert.throws(
      () => privateKeyFromProtobuf(concatBytes(hexToBytes('0802121f'), new Uint8Array(31).fill(1))),
      KeyFormatError
    )
    const point = key.publicKey.raw
    assert.throws(() => publicKeyFromRaw('Secp256k1', point.slice(1)), KeyFormatError)
    assert.throws(
      () => publicKeyFromRaw('Secp256k1', concatBytes(Uint8Array.of(4), point.slice(1))),
      KeyFormatError
    )
    // x = 5 has no y on the curve.
    const off = concatBytes(Uint8Array.of(2), new Uint8Array(31), Uint8Array.of(5))
    assert.throws(() => publicKeyFromRaw('Secp256k1', off), /not a point/)
  })
})

describe('Ethereum and Ledger keys', () => {
  const eth = publicKeyFromRaw('Eth', key.publicKey.raw)

  test('a personal-message signature over Keccak-256 verifies', () => {
    const data = utf8ToBytes('dms:token:{"act":"delegate"}')
    const { r, s } = ethSign(data)
    assert.equal(eth.verify(data, writeDerSignature(r, s)), true)
    assert.equal(eth.verify(utf8ToBytes('dms:token:{"act":"invoke"}'), writeDerSignature(r, s)), false)
  })

  test('a plain signature of the same key does not', () => {
    assert.equal(eth.verify(message, key.sign(message)), false)
    const { r, s } = ethSign(message)
    assert.equal(key.publicKey.verify(message, writeDerSignature(r, s)), false)
  })

  test('cannot name an actor or a peer', () => {
    assert.throws(() => publicKeyToProtobuf(eth), /cannot name/)
  })
})
