import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import {
  generateKey,
  KeyFormatError,
  privateKeyFromProtobuf,
  privateKeyFromSeed,
  publicKeyFromProtobuf,
  publicKeyFromRaw,
  publicKeyToProtobuf
} from '../../../../src/lib/crypto/index.ts'
import {
  bytesToHex,
  concatBytes,
  hexToBytes,
  SeededRandom,
  utf8ToBytes
} from '../../../../src/utils/index.ts'

/** RFC 8032 §7.1, tests 1 to 3. */
const VECTORS = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    key: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    key: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    key: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a'
  }
]
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

describe('Ed25519', () => {
  for (const [index, vector] of VECTORS.entries()) {
    test(`RFC 8032 vector ${index + 1} signs and verifies`, () => {
      const key = privateKeyFromSeed(hexToBytes(vector.seed))
      const message = hexToBytes(vector.message)
      assert.equal(bytesToHex(key.publicKey.raw), vector.key)
      assert.equal(bytesToHex(key.sign(message)), vector.signature)
      assert.equal(
        publicKeyFromRaw('Ed25519', hexToBytes(vector.key)).verify(message, hexToBytes(vector.signature)),
        true
      )
    })
  }

  test('a changed message, signature or key does not verify', () => {
    const key = generateKey(new SeededRandom(1))
    const message = utf8ToBytes('message')
    const signature = key.sign(message)
    assert.equal(key.publicKey.verify(utf8ToBytes('messagf'), signature), false)
    assert.equal(generateKey(new SeededRandom(2)).publicKey.verify(message, signature), false)
    for (let bit = 0; bit < 512; bit += 7) {
      const changed = signature.slice()
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.equal(key.publicKey.verify(message, changed), false, `bit ${bit}`)
    }
  })

  test('a signature of another length is false, never a throw', () => {
    const key = generateKey(new SeededRandom(1)).publicKey
    for (const length of [0, 1, 63, 65, 128])
      assert.equal(key.verify(utf8ToBytes('x'), new Uint8Array(length)), false)
  })

  test('a scalar that is not below the group order is refused', () => {
    const key = generateKey(new SeededRandom(1))
    const message = utf8ToBytes('message')
    const signature = key.sign(message)
    const scalar = BigInt(`0x${bytesToHex(signature.slice(32).reverse())}`) + ORDER
    const other = hexToBytes(scalar.toString(16).padStart(64, '0')).reverse()
    assert.equal(key.publicKey.verify(message, concatBytes(signature.slice(0, 32), other)), false)
  })

  test('every encoding of the eight points of small order is refused as a key', () => {
    const { Point } = ed25519
    const torsion = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', true)
    let point = Point.ZERO
    for (let index = 0; index < 8; index++, point = point.add(torsion)) {
      assert.throws(() => publicKeyFromRaw('Ed25519', point.toBytes()), KeyFormatError, `point ${index}`)
      assert.throws(() => publicKeyFromRaw('Cardano', point.toBytes()), KeyFormatError, `point ${index}`)
    }
  })

  test('an encoding of y that is not below the field prime is refused', () => {
    for (const low of [0xed, 0xee, 0xf0, 0xff]) {
      for (const high of [0x7f, 0xff]) {
        const raw = new Uint8Array(32).fill(0xff)
        raw[0] = low
        raw[31] = high
        assert.throws(() => publicKeyFromRaw('Ed25519', raw), /not canonically encoded/)
      }
    }
  })
})

describe('libp2p key form', () => {
  const key = privateKeyFromSeed(hexToBytes(VECTORS[0]?.seed ?? ''))

  test('public and private keys have the specified bytes', () => {
    assert.equal(bytesToHex(publicKeyToProtobuf(key.publicKey)), `08011220${VECTORS[0]?.key}`)
    assert.equal(bytesToHex(key.toProtobuf()), `08011240${VECTORS[0]?.seed}${VECTORS[0]?.key}`)
  })

  test('what is written is read back', () => {
    assert.deepEqual(publicKeyFromProtobuf(publicKeyToProtobuf(key.publicKey)).raw, key.publicKey.raw)
    assert.deepEqual(privateKeyFromProtobuf(key.toProtobuf()).toProtobuf(), key.toProtobuf())
  })

  test('a private key with the public key twice, as old writers did, is read', () => {
    const old = concatBytes(hexToBytes('08011260'), key.toProtobuf().slice(4), key.publicKey.raw)
    assert.deepEqual(privateKeyFromProtobuf(old).toProtobuf(), key.toProtobuf())
  })

  test('a private key whose public half is another is refused', () => {
    const bytes = key.toProtobuf()
    bytes[40] = (bytes[40] ?? 0) ^ 1
    assert.throws(() => privateKeyFromProtobuf(bytes), /does not belong to its seed/)
  })

  test('another field order, length, type or trailing byte is refused', () => {
    const bytes = publicKeyToProtobuf(key.publicKey)
    const bad = [
      new Uint8Array(),
      bytes.slice(0, 35),
      concatBytes(bytes, Uint8Array.of(0)),
      concatBytes(bytes.slice(2), bytes.slice(0, 2)),
      Uint8Array.from(bytes, (byte, index) => (index === 1 ? 0 : byte)),
      Uint8Array.from(bytes, (byte, index) => (index === 1 ? 127 : byte))
    ]
    for (const [index, form] of bad.entries())
      assert.throws(() => publicKeyFromProtobuf(form), KeyFormatError, `case ${index}`)
    assert.throws(() => privateKeyFromProtobuf(bytes), KeyFormatError)
    assert.throws(() => privateKeyFromSeed(new Uint8Array(31)), /32 bytes/)
  })
})
