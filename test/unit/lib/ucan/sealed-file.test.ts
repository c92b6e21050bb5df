/** The form of sealed capability files: what opens, what does not, and that a file is read whole or not at all. */

import assert from 'node:assert/strict'
import { createDecipheriv, hkdfSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { privateKeyFromProtobuf } from '../../../../src/lib/crypto/index.ts'
import { didOf, keySigner, type Signer } from '../../../../src/lib/did/index.ts'
import { isSealed, openContent, sealContent, sealedOwner } from '../../../../src/lib/ucan/sealed-file.ts'
import type { Did } from '../../../../src/types/index.ts'
import { bytesToUtf8, hexToBytes, SeededRandom, utf8ToBytes } from '../../../../src/utils/index.ts'
import { identity } from '../parties.ts'

const [alice, bob] = [identity('alice'), identity('bob')]
const signer = keySigner(alice.key)
const random = new SeededRandom('sealed files')
const PLAIN = '{"did":{"uri":"did:key:…"},"roots":[]}\n'
const sealed = await sealContent(utf8ToBytes(PLAIN), signer, random)
const text = bytesToUtf8(sealed)

/** The text with one change. */
function changed(pattern: RegExp | string, replacement: string | ((found: string) => string)): Uint8Array {
  const after =
    typeof replacement === 'string' ? text.replace(pattern, replacement) : text.replace(pattern, replacement)
  assert.notEqual(after, text, 'the change must change something')
  return utf8ToBytes(after)
}

describe('a sealed capability file', () => {
  test('opens with the key of its owner, and shows nothing but the owner', async () => {
    assert.equal(bytesToUtf8(await openContent(sealed, signer)), PLAIN)
    assert.equal(sealedOwner(sealed), alice.did)
    assert.ok(isSealed(sealed))
    assert.ok(!isSealed(utf8ToBytes(PLAIN)))
    assert.ok(!isSealed(new Uint8Array()))
    assert.match(
      text,
      /^\{"sealed":1,"owner":"did:key:[^"]+","salt":"[0-9a-f]{64}","nonce":"[0-9a-f]{24}","box":"[A-Za-z0-9+/]+=*"\}\n$/
    )
  })

  test('is exactly what its description says, for another program to read', () => {
    const envelope: Record<string, string> = JSON.parse(text)
    const { owner = '', salt = '', nonce = '', box = '' } = envelope
    const signature = alice.key.sign(utf8ToBytes(`dms:cap-file:${salt}`))
    const key = new Uint8Array(hkdfSync('sha256', signature, hexToBytes(salt), 'dms:cap-file:1', 32))
    const bytes = Buffer.from(box, 'base64')
    const decipher = createDecipheriv('aes-256-gcm', key, hexToBytes(nonce))
    decipher.setAAD(utf8ToBytes(`dms:cap-file:1:${owner}`))
    decipher.setAuthTag(bytes.subarray(-16))
    assert.equal(decipher.update(bytes.subarray(0, -16), undefined, 'utf8') + decipher.final('utf8'), PLAIN)
  })

  test('has a new salt and nonce at each writing', async () => {
    const again = bytesToUtf8(await sealContent(utf8ToBytes(PLAIN), signer, random))
    for (const member of ['salt', 'nonce', 'box']) {
      const value = (of: string): unknown => JSON.parse(of)[member]
      assert.notEqual(value(again), value(text), member)
    }
  })

  test('of nothing, and of bytes that are no text, comes back the same', async () => {
    for (const plain of [new Uint8Array(), Uint8Array.of(0xff, 0, 0xfe)])
      assert.deepEqual(await openContent(await sealContent(plain, signer, random), signer), plain)
  })

  test('does not open when any one of its characters is another', async () => {
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === 'A' ? 'B' : 'A'
      const broken = utf8ToBytes(text.slice(0, at) + other + text.slice(at + 1))
      if (!isSealed(broken)) continue // its beginning says what it is; such a file is damaged JSON
      await assert.rejects(openContent(broken, signer), {
        code: /^UCAN_(FILE_CORRUPT|FILE_UNSUPPORTED|WRONG_OWNER)$/
      })
    }
  })

  test('does not open when it is cut anywhere, or continued', async () => {
    for (let length = 10; length < text.length; length++)
      await assert.rejects(openContent(sealed.subarray(0, length), signer), { code: 'UCAN_FILE_CORRUPT' })
    await assert.rejects(openContent(utf8ToBytes(`${text}\n`), signer), { code: 'UCAN_FILE_CORRUPT' })
  })

  test('has one spelling: other white space, order, case or base64 is damage', async () => {
    for (const broken of [
      changed('"sealed":1', '"sealed": 1'),
      changed(/"salt":"([^"]+)","nonce":"([^"]+)"/, '"nonce":"$2","salt":"$1"'),
      changed(/"salt":"[^"]+"/, match => match.toUpperCase()),
      changed(/=*"\}\n$/, '===="}\n'),
      changed(/"box":"[^"]+"/, '"box":""'),
      changed(/"box":"[^"]+"/, '"box":"AAAA"'),
      changed(/"owner":"[^"]+"/, '"owner":"did:key:€"'),
      Uint8Array.of(...sealed, 0xff)
    ])
      await assert.rejects(openContent(broken, signer), { code: 'UCAN_FILE_CORRUPT', hint: /backups/ })
  })

  test('of a later version says so instead of being called damaged', async () => {
    await assert.rejects(openContent(changed('"sealed":1', '"sealed":2'), signer), {
      code: 'UCAN_FILE_UNSUPPORTED',
      hint: 'use that version'
    })
  })

  test('of another owner is refused before anything is signed', async () => {
    const foreign: Signer = { did: bob.did, sign: () => assert.fail('nothing is to be signed') }
    await assert.rejects(openContent(sealed, foreign), { code: 'UCAN_WRONG_OWNER' })
  })

  test('cannot be passed off as that of another owner, even with the right key', async () => {
    const renamed = changed(alice.did, bob.did)
    await assert.rejects(openContent(renamed, { did: bob.did, sign: data => alice.key.sign(data) }), {
      code: 'UCAN_FILE_CORRUPT'
    })
  })

  test('that is far too long is refused without being read', async () => {
    const long = new Uint8Array(179_000_000)
    long.set(sealed)
    await assert.rejects(openContent(long, signer), /longer than \d+ bytes/)
  })

  test('is never made by a key that could not open it again', async () => {
    const curve = privateKeyFromProtobuf(hexToBytes(`08021220${'17'.repeat(32)}`))
    const did = didOf(curve.publicKey)
    await assert.rejects(sealContent(utf8ToBytes(PLAIN), { did, sign: data => curve.sign(data) }, random), {
      code: 'UCAN_SEAL_UNSUPPORTED',
      message: /is not an Ed25519 key/
    })
    let count = 0
    const fickle: Signer = { did: alice.did, sign: () => Uint8Array.of(count++) }
    await assert.rejects(sealContent(utf8ToBytes(PLAIN), fickle, random), {
      code: 'UCAN_SEAL_UNSUPPORTED',
      message: /differ each time/
    })
  })

  test('of a DID that is not did:key is sealed by whatever its key signs the same each time', async () => {
    const prism: Signer = { did: 'did:prism:abc' as Did, sign: data => alice.key.sign(data) }
    const content = await sealContent(utf8ToBytes(PLAIN), prism, random)
    assert.equal(bytesToUtf8(await openContent(content, prism)), PLAIN)
  })
})
