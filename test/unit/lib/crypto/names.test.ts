import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import {
  actorIdOf,
  base58ToBytes,
  bytesToBase58,
  generateKey,
  KeyFormatError,
  parseActorId,
  parsePeerId,
  peerIdOf,
  privateKeyFromProtobuf,
  publicKeyOfActorId,
  publicKeyOfPeerId
} from '../../../../src/lib/crypto/index.ts'
import { bytesToHex, hexToBytes, SeededRandom } from '../../../../src/utils/index.ts'

const observed = JSON.parse(
  readFileSync(new URL('../../../vectors/identity-observed.json', import.meta.url), 'utf8')
).observed
const ed = generateKey(new SeededRandom(1)).publicKey
const secp = privateKeyFromProtobuf(hexToBytes(`08021220${'07'.repeat(32)}`)).publicKey

describe('base58', () => {
  test('known texts', () => {
    const vectors: [string, string][] = [
      ['', ''],
      ['00', '1'],
      ['0000287fb4cd', '11233QC4'],
      ['61', '2g'],
      ['48656c6c6f20576f726c6421', '2NEpo7TZRRrLZSi2U']
    ]
    for (const [hex, text] of vectors) {
      assert.equal(bytesToBase58(hexToBytes(hex)), text)
      assert.equal(bytesToHex(base58ToBytes(text)), hex)
    }
  })

  test('digits outside the alphabet and long texts are refused', () => {
    for (const text of ['0', 'O', 'I', 'l', '+', 'é', ' 1', '1'.repeat(129)]) {
      assert.throws(() => base58ToBytes(text), KeyFormatError, text)
    }
  })
})

describe('actor and peer ids', () => {
  test('have the specified shapes', () => {
    assert.match(actorIdOf(ed), /^BAAREI[A-Z2-7]{52}======$/)
    assert.match(peerIdOf(ed), /^12D3KooW/)
    assert.match(peerIdOf(secp), /^16Uiu2H/)
  })

  test('give back the key they were made of', () => {
    for (const key of [ed, secp]) {
      assert.deepEqual(publicKeyOfActorId(actorIdOf(key)).raw, key.raw)
      assert.deepEqual(publicKeyOfPeerId(peerIdOf(key)).raw, key.raw)
      assert.equal(parseActorId(String(actorIdOf(key))), actorIdOf(key))
      assert.equal(parsePeerId(String(peerIdOf(key))), peerIdOf(key))
    }
  })

  test('bad actor ids are refused with the text in the message', () => {
    const id = actorIdOf(ed)
    const bad = [
      ...observed.actor_id_rejects.cases,
      '',
      id.toLowerCase(),
      id.replace(/=+$/, ''),
      `${id}=`,
      id.slice(8),
      'A'.repeat(4096)
    ]
    for (const text of bad) assert.throws(() => parseActorId(text), KeyFormatError, text)
    assert.throws(() => parseActorId('invalid base32!'), /'invalid base32!' is not an actor id/)
  })

  test('bad peer ids are refused, those that hash the key included', () => {
    const hashed = bytesToBase58(hexToBytes(`1220${'11'.repeat(32)}`))
    for (const text of [
      '',
      'z',
      hashed,
      peerIdOf(ed).slice(1),
      `${peerIdOf(ed)}1`,
      '0OIl',
      '1'.repeat(500)
    ]) {
      assert.throws(() => parsePeerId(text), KeyFormatError, text)
    }
  })
})
