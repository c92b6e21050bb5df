import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  actorIdOf,
  base58ToBytes,
  bytesToBase58,
  KeyFormatError,
  parseActorId,
  parsePeerId,
  peerIdOf,
  privateKeyFromSeed,
  publicKeyFromProtobuf,
  publicKeyFromRaw,
  publicKeyOfPeerId
} from '../../../src/lib/crypto/index.ts'
import { DidError, didOf, isDid, parseDid, publicKeyOfDid } from '../../../src/lib/did/index.ts'
import { RUNS } from './generators.ts'

const options = { numRuns: RUNS }
const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe('keys and names', () => {
  test('base58 is a bijection', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
        assert.deepEqual(base58ToBytes(bytesToBase58(bytes)), bytes)
      }),
      options
    )
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'123ABCxyz'), maxLength: 60 }), text => {
        assert.equal(bytesToBase58(base58ToBytes(text)), text)
      }),
      options
    )
  })

  test('each name of a key leads back to it', () => {
    fc.assert(
      fc.property(seeds, seed => {
        const key = privateKeyFromSeed(seed).publicKey
        assert.deepEqual(publicKeyOfPeerId(peerIdOf(key)).raw, key.raw)
        assert.deepEqual(publicKeyOfDid(didOf(key)).raw, key.raw)
        assert.equal(parseActorId(actorIdOf(key)), actorIdOf(key))
      }),
      options
    )
  })

  test('a signature verifies for its data and key only', () => {
    const data = fc.uint8Array({ maxLength: 100 })
    fc.assert(
      fc.property(seeds, data, data, (seed, signed, other) => {
        const key = privateKeyFromSeed(seed)
        const signature = key.sign(signed)
        assert.equal(key.publicKey.verify(signed, signature), true)
        assert.equal(key.publicKey.verify(other, signature), Buffer.compare(signed, other) === 0)
      }),
      options
    )
  })

  test('verifying answers any signature with a boolean', () => {
    const keys = [
      publicKeyFromRaw('Ed25519', privateKeyFromSeed(new Uint8Array(32).fill(1)).publicKey.raw),
      publicKeyFromRaw('Cardano', privateKeyFromSeed(new Uint8Array(32).fill(1)).publicKey.raw),
      publicKeyOfDid(parseDid('did:key:zzCHUybNYmK8QsttZwXqUX8aDLoBGHnMCakDX2RpsGwmXmYHEW'))
    ]
    const cbor = fc.uint8Array({ maxLength: 200 }).map(bytes => Uint8Array.of(0x84, ...bytes))
    const der = fc.uint8Array({ maxLength: 70 }).map(bytes => Uint8Array.of(0x30, bytes.length, ...bytes))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), cbor, der), signature => {
        for (const key of keys) assert.equal(key.verify(new Uint8Array(3), signature), false)
      }),
      options
    )
  })

  test('readers refuse with their error or give what prints the same', () => {
    const readers: [(text: string) => string, new (...args: never[]) => Error][] = [
      [parseActorId, KeyFormatError],
      [parsePeerId, KeyFormatError],
      [parseDid, DidError],
      [text => (isDid(text) ? didOf(publicKeyOfDid(text)) : text), DidError]
    ]
    const texts = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'did:keyz6Mk1') }),
      fc.uint8Array({ maxLength: 50 }).map(bytes => `did:key:z${bytesToBase58(bytes)}`),
      fc.uint8Array({ maxLength: 50 }).map(bytesToBase58)
    )
    fc.assert(
      fc.property(texts, text => {
        for (const [read, kind] of readers) {
          try {
            assert.equal(read(text), text)
          } catch (error) {
            assert.ok(error instanceof kind, String(error))
          }
        }
      }),
      options
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), bytes => {
        assert.throws(() => {
          publicKeyFromProtobuf(bytes)
          throw new KeyFormatError('read')
        }, KeyFormatError)
      }),
      options
    )
  })
})
