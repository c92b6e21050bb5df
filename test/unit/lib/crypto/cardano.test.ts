import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { generateKey, publicKeyFromRaw, publicKeyToProtobuf } from '../../../../src/lib/crypto/index.ts'
import { concatBytes, hexToBytes, SeededRandom, utf8ToBytes } from '../../../../src/utils/index.ts'

const observed = JSON.parse(
  readFileSync(new URL('../../../vectors/identity-observed.json', import.meta.url), 'utf8')
).observed.eternl_cose_signature
const message = hexToBytes(observed.coseSign1Hex)
const data = utf8ToBytes(observed.payloadUtf8)
const key = publicKeyFromRaw('Cardano', hexToBytes(observed.ourDecode.ed25519PubHex))

/** COSE_Sign1 with the protected header `{1: -8}` and a payload that is ignored. */
function sign1(signer: ReturnType<typeof generateKey>, over: Uint8Array, head: Uint8Array): Uint8Array {
  const protectedHeader = hexToBytes('a10127')
  const structure = concatBytes(hexToBytes('846a5369676e61747572653143a1012740'), head, over)
  return concatBytes(
    Uint8Array.of(0x84, 0x43),
    protectedHeader,
    hexToBytes('a040'),
    hexToBytes('5840'),
    signer.sign(structure)
  )
}

describe('Cardano keys', () => {
  test('the observed wallet signature verifies', () => {
    assert.equal(key.verify(data, message), true)
  })

  test('other data or another key does not', () => {
    assert.equal(key.verify(utf8ToBytes('get_pubkez'), message), false)
    const other = publicKeyFromRaw('Cardano', generateKey(new SeededRandom(1)).publicKey.raw)
    assert.equal(other.verify(data, message), false)
  })

  test('the payload inside the message is ignored: the data decides', () => {
    const at = Buffer.from(message).indexOf('get_pubkey', 64)
    const changed = message.slice()
    changed[at] = 0x47
    assert.equal(key.verify(data, changed), true)
  })

  test('data of each CBOR length class is hashed as it must be', () => {
    const signer = generateKey(new SeededRandom(2))
    const own = publicKeyFromRaw('Cardano', signer.publicKey.raw)
    const heads: [number, string][] = [
      [0, '40'],
      [23, '57'],
      [24, '5818'],
      [255, '58ff'],
      [256, '590100'],
      [65_536, '5a00010000']
    ]
    for (const [length, head] of heads) {
      const over = new Uint8Array(length).fill(7)
      assert.equal(own.verify(over, sign1(signer, over, hexToBytes(head))), true, `${length} bytes`)
    }
  })

  test('a COSE tag in front is read', () => {
    assert.equal(key.verify(data, concatBytes(Uint8Array.of(0xd2), message)), true)
  })

  test('malformed messages are false, never a throw', () => {
    const bad = [
      new Uint8Array(),
      message.slice(0, -1),
      concatBytes(message, Uint8Array.of(0)),
      message.slice(1),
      new Uint8Array(9000).fill(0x81),
      hexToBytes('84'),
      hexToBytes('8440a0f640'),
      hexToBytes('8440a0458000'),
      hexToBytes('8440c000f640'),
      hexToBytes('84a0a0a0a0'),
      hexToBytes('8440bbffffffffffffffff'),
      hexToBytes('8440a05f4040ff40'),
      concatBytes(hexToBytes('8440'), new Uint8Array(64).fill(0x81))
    ]
    for (const [index, form] of bad.entries()) assert.equal(key.verify(data, form), false, `case ${index}`)
    for (let at = 0; at < message.length; at++) {
      const cut = message.slice(0, at)
      assert.equal(key.verify(data, cut), false, `cut at ${at}`)
    }
  })

  test('cannot name an actor or a peer', () => {
    assert.throws(() => publicKeyToProtobuf(key), /cannot name/)
  })
})
