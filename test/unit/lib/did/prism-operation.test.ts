/** The operation that creates a PRISM DID, byte by byte. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { generateKey, privateKeyFromProtobuf } from '../../../../src/lib/crypto/index.ts'
import {
  createPrismOperation,
  didOfPrismOperation,
  signPrismOperation
} from '../../../../src/lib/did/index.ts'
import { bytesToHex, hexToBytes, SeededRandom } from '../../../../src/utils/index.ts'

/** A long-form DID of the public documentation of NeoPRISM: the hash of a create operation, and the operation. */
const PUBLISHED =
  'did:prism:9b5118411248d9663b6ab15128fba8106511230ff654e7514cdcc4ce919bde9b:Cj8KPRI7CgdtYXN0ZXIwEAFKLgoJc2VjcDI1NmsxEiEDHpf-yhIns-LP3tLvA8icC5FJ1ZlBwbllPtIdNZ3q0jU'

const master = privateKeyFromProtobuf(hexToBytes(`08021220${'01'.repeat(32)}`))
const ed = generateKey(new SeededRandom(1))

function hex(text: string): string {
  return bytesToHex(new TextEncoder().encode(text))
}

describe('the operation that creates a PRISM DID', () => {
  it('names its DID by its hash, as published DIDs do', () => {
    const [, , hash, state = ''] = PUBLISHED.split(':')
    const operation = new Uint8Array(Buffer.from(state, 'base64url'))
    assert.equal(didOfPrismOperation(operation), `did:prism:${hash}`)
    // Its only key, `master0`, is written as ours are: id, usage, curve and compressed point.
    const head = `0a3f0a3d123b0a07${hex('master0')}10014a2e0a09${hex('secp256k1')}1221`
    assert.ok(bytesToHex(operation).startsWith(head))
    const ours = bytesToHex(createPrismOperation({ master, authentication: master }))
    assert.ok(ours.includes(`0a08${hex('master-0')}10014a2e0a09${hex('secp256k1')}1221`))
  })

  it('holds the master key and the key that signs, each with its curve', () => {
    const data = {
      master: `0a09${hex('secp256k1')}1221${bytesToHex(master.publicKey.raw)}`,
      ed: `0a07${hex('Ed25519')}1220${bytesToHex(ed.publicKey.raw)}`
    }
    const first = `0a08${hex('master-0')}10014a2e${data.master}`
    const second = `0a10${hex('authentication-0')}10044a2b${data.ed}`
    const keys = `12${(first.length / 2).toString(16)}${first}12${(second.length / 2).toString(16)}${second}`
    const size = keys.length / 2
    const varint = (value: number): string =>
      [(value & 0x7f) | 0x80, value >> 7].map(byte => byte.toString(16).padStart(2, '0')).join('')
    const expected = `0a${varint(size + 3)}0a${varint(size)}${keys}`
    assert.equal(bytesToHex(createPrismOperation({ master, authentication: ed })), expected)
  })

  it('is submitted with the id of the master key and its signature over the operation', () => {
    const operation = createPrismOperation({ master, authentication: ed })
    const signed = bytesToHex(signPrismOperation(operation, master))
    const head = `0a08${hex('master-0')}12`
    assert.ok(signed.startsWith(head))
    const length = Number.parseInt(signed.slice(head.length, head.length + 2), 16)
    const signature = hexToBytes(signed.slice(head.length + 2, head.length + 2 + length * 2))
    assert.equal(master.publicKey.verify(operation, signature), true)
    assert.ok(signed.endsWith(bytesToHex(operation)))
    assert.equal(
      didOfPrismOperation(operation),
      `did:prism:${createHash('sha256').update(operation).digest('hex')}`
    )
  })
})
