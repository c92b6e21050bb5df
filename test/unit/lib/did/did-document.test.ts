/** Which key of a DID document counts (identity-and-actors §2.7). */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { generateKey, privateKeyFromProtobuf } from '../../../../src/lib/crypto/index.ts'
import { MAX_DID_DOCUMENT, parseDid, publicKeyOfDocument } from '../../../../src/lib/did/index.ts'
import { hexToBytes, SeededRandom, utf8ToBytes } from '../../../../src/utils/index.ts'

const observed = JSON.parse(
  readFileSync(new URL('../../../vectors/identity-observed.json', import.meta.url), 'utf8')
).observed
const DID = parseDid(observed.prism_test_dids.dids[0])
const ed = generateKey(new SeededRandom(1)).publicKey
const other = generateKey(new SeededRandom(2)).publicKey
const secp = privateKeyFromProtobuf(hexToBytes(`08021220${'07'.repeat(32)}`)).publicKey

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

function okp(raw: Uint8Array, crv = 'Ed25519'): object {
  return { kty: 'OKP', crv, x: base64url(raw) }
}

function ec(raw: Uint8Array): object {
  const point = secp256k1.Point.fromBytes(raw).toBytes(false)
  return { kty: 'EC', crv: 'secp256k1', x: base64url(point.slice(1, 33)), y: base64url(point.slice(33)) }
}

/** The same 64 bytes, of which x has one too few and y one too many. */
function cutWrong(): object {
  const point = secp256k1.Point.fromBytes(secp.raw).toBytes(false)
  return { kty: 'EC', crv: 'secp256k1', x: base64url(point.slice(1, 32)), y: base64url(point.slice(32)) }
}

function method(id: string, publicKeyJwk: unknown, type = 'JsonWebKey2020'): object {
  return { id: `${DID}#${id}`, type, controller: DID, publicKeyJwk }
}

/** As resolvers write it: the shape observed in the tests of the existing system. */
function document(methods: readonly unknown[], more: object = {}): Uint8Array {
  const context = ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/suites/jws-2020/v1']
  return utf8ToBytes(JSON.stringify({ '@context': context, id: DID, verificationMethod: methods, ...more }))
}

const edMethod = method('authentication0', okp(ed.raw))
const otherMethod = method('issuing0', okp(other.raw))

describe('the key of a DID document', () => {
  it('is the one listed for authentication, by its whole id, by its fragment, or embedded', () => {
    for (const authentication of [[`${DID}#authentication0`], ['#authentication0'], [edMethod]]) {
      const methods = authentication[0] === edMethod ? [otherMethod] : [otherMethod, edMethod]
      assert.deepEqual(publicKeyOfDocument(DID, document(methods, { authentication })).raw, ed.raw)
    }
  })

  it('may be of secp256k1, with the signatures of libp2p keys', () => {
    const key = publicKeyOfDocument(DID, document([method('authentication0', ec(secp.raw))]))
    assert.deepEqual([key.type, key.raw], ['Secp256k1', secp.raw])
  })

  it('is chosen by the relationship that is asked for', () => {
    const bytes = document([edMethod, otherMethod], {
      authentication: ['#authentication0'],
      assertionMethod: ['#issuing0']
    })
    assert.deepEqual(publicKeyOfDocument(DID, bytes, 'assertionMethod').raw, other.raw)
    assert.deepEqual(publicKeyOfDocument(DID, bytes, 'capabilityInvocation').raw, ed.raw)
  })

  it('is the first usable method when none is listed, or what is listed cannot be used', () => {
    for (const authentication of [undefined, [], 'x', ['#missing'], [null, 1, {}], ['#agreement0']]) {
      const methods = [method('agreement0', okp(other.raw, 'X25519')), edMethod, otherMethod]
      assert.deepEqual(publicKeyOfDocument(DID, document(methods, { authentication })).raw, ed.raw)
    }
  })

  const bad = secp256k1.Point.fromBytes(secp.raw).toBytes(false)
  bad[64] = (bad[64] ?? 0) ^ 1
  for (const [what, entry] of [
    ['of X25519', method('a', okp(ed.raw, 'X25519'))],
    ['of P-256', method('a', { kty: 'EC', crv: 'P-256', x: base64url(ed.raw), y: base64url(ed.raw) })],
    ['of another method type', method('a', okp(ed.raw), 'Ed25519VerificationKey2020')],
    ['without a JWK', method('a', undefined)],
    ['with a list for a JWK', method('a', [])],
    ['a point cut in the wrong place', method('a', cutWrong())],
    ['of 31 bytes', method('a', okp(ed.raw.slice(1)))],
    ['of small order', method('a', okp(new Uint8Array(32)))],
    ['padded', method('a', { kty: 'OKP', crv: 'Ed25519', x: `${base64url(ed.raw)}=` })],
    ['that is a number', method('a', { kty: 'OKP', crv: 'Ed25519', x: 1 })],
    [
      'off the curve',
      method('a', {
        kty: 'EC',
        crv: 'secp256k1',
        x: base64url(bad.slice(1, 33)),
        y: base64url(bad.slice(33))
      })
    ],
    ['that is nothing', null]
  ] as const) {
    it(`is none when the only one is ${what}`, () => {
      assert.throws(() => publicKeyOfDocument(DID, document([entry], { authentication: ['#a'] })), {
        code: 'DID_NO_KEY'
      })
    })
  }

  for (const [what, bytes] of [
    ['no JSON', utf8ToBytes('{')],
    ['no text', Uint8Array.of(0xff)],
    ['a list', utf8ToBytes('[]')],
    ['of another DID', utf8ToBytes(JSON.stringify({ id: `${DID}0`, verificationMethod: [edMethod] }))],
    ['of no DID', utf8ToBytes(JSON.stringify({ verificationMethod: [edMethod] }))],
    ['longer than the bound', utf8ToBytes(JSON.stringify({ id: DID, x: 'x'.repeat(MAX_DID_DOCUMENT) }))]
  ] as const) {
    it(`is not taken from a document that is ${what}`, () => {
      assert.throws(() => publicKeyOfDocument(DID, bytes), { code: 'DID_DOCUMENT_INVALID' })
    })
  }
})
