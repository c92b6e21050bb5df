import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  base32ToBytes,
  base64ToBytes,
  bytesEqual,
  bytesToBase32,
  bytesToBase64,
  bytesToHex,
  bytesToUtf8,
  concatBytes,
  hexToBytes,
  utf8ToBytes
} from '../../../src/utils/index.ts'

const FAULT = { code: 'SYNTAX' }

/** Vectors of RFC 4648 §10. */
const VECTORS = [
  ['', '', ''],
  ['f', 'Zg==', 'MY======'],
  ['fo', 'Zm8=', 'MZXQ===='],
  ['foo', 'Zm9v', 'MZXW6==='],
  ['foob', 'Zm9vYg==', 'MZXW6YQ='],
  ['fooba', 'Zm9vYmE=', 'MZXW6YTB'],
  ['foobar', 'Zm9vYmFy', 'MZXW6YTBOI======']
] as const

describe('base64 and base32', () => {
  for (const [text, base64, base32] of VECTORS) {
    it(`agree with the vectors of the RFC: '${text}'`, () => {
      assert.equal(bytesToBase64(utf8ToBytes(text)), base64)
      assert.equal(bytesToBase32(utf8ToBytes(text)), base32)
      assert.equal(bytesToUtf8(base64ToBytes(base64)), text)
      assert.equal(bytesToUtf8(base32ToBytes(base32)), text)
    })
  }

  for (const text of ['Zg', 'Zg=', 'Zh==', 'Zm9v\n', ' Zm9v', 'Zm9-', 'Zm_v', 'Zg==Zg==', '====', 'Z']) {
    it(`refuses base64 another writer would not make: ${JSON.stringify(text)}`, () => {
      assert.throws(() => base64ToBytes(text), FAULT)
    })
  }

  for (const text of [
    'MY',
    'MY=====',
    'MZ======',
    'my======',
    'MZXW6YT1',
    'MZXW6YTB ',
    'M',
    '========',
    'MY======MY======'
  ]) {
    it(`refuses base32 another writer would not make: ${JSON.stringify(text)}`, () => {
      assert.throws(() => base32ToBytes(text), FAULT)
    })
  }

  it('encode a view, not the buffer behind it', () => {
    const view = utf8ToBytes('xxfooxx').subarray(2, 5)
    assert.equal(bytesToBase64(view), 'Zm9v')
    assert.equal(bytesToHex(view), '666f6f')
  })
})

describe('hexadecimal', () => {
  it('is written in lower case and read in both', () => {
    assert.equal(bytesToHex(Uint8Array.of(0, 15, 255)), '000fff')
    assert.deepEqual(hexToBytes('000fFF'), Uint8Array.of(0, 15, 255))
    assert.deepEqual(hexToBytes(''), new Uint8Array())
  })

  for (const text of ['0', '0x00', 'zz', ' 00', '00\n']) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => hexToBytes(text), FAULT))
  }
})

describe('UTF-8', () => {
  it('keeps a byte order mark and refuses what is malformed', () => {
    assert.equal(bytesToUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), '\ufeffa')
    for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
      assert.throws(() => bytesToUtf8(Uint8Array.from(bytes)), FAULT, String(bytes))
    }
  })
})

describe('byte arrays', () => {
  it('compare by content', () => {
    assert.equal(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), true)
    assert.equal(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 3)), false)
    assert.equal(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3)), false)
  })

  it('are joined in order', () => {
    assert.deepEqual(
      concatBytes(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3)),
      Uint8Array.of(1, 2, 3)
    )
    assert.deepEqual(concatBytes(), new Uint8Array())
  })
})
