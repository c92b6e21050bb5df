/** Valid chains with one byte changed, at every place: in their text, in what is signed, and in the signature. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { publicKeyOfDid } from '../../../src/lib/did/index.ts'
import {
  chainOf,
  formatToken,
  parseToken,
  signingBytes,
  type Token,
  verifyToken
} from '../../../src/lib/ucan/index.ts'
import { bytesToUtf8, utf8ToBytes } from '../../../src/utils/index.ts'
import { HOUR_NS, type Identity, NOW_NS, token } from '../../unit/lib/parties.ts'
import { IS_NIGHTLY, OTHERS, PEOPLE } from './generators.ts'

/** What a byte is changed by: every other value at night, else some that matter: a bit, the case, the high bit. */
function differences(sample: readonly number[]): readonly number[] {
  return IS_NIGHTLY ? Array.from({ length: 255 }, (_, index) => index + 1) : sample
}

const [alice, bob, carol, dave] = PEOPLE
const [libp2p, ledger, cardano] = OTHERS
assert.ok(alice && bob && carol && dave && libp2p && ledger && cardano)
const end: Identity = dave

/** A chain with every member in use, from `root` over bob and carol to dave. */
function chainFrom(root: Identity): Token {
  const shared = { topics: ['/t'], audience: end.did, expiresAtNs: NOW_NS + HOUR_NS }
  const first = token(root, {
    ...shared,
    subject: bob?.did ?? end.did,
    capabilities: ['/a', '/b'],
    depth: 2n
  })
  const second = token(bob ?? end, {
    ...shared,
    subject: carol?.did ?? end.did,
    capabilities: ['/a/x'],
    chain: first
  })
  return token(carol ?? end, {
    ...shared,
    action: 'invoke',
    subject: end.did,
    capabilities: ['/a/x/y'],
    chain: second
  })
}

function mutated(bytes: Uint8Array, at: number, difference: number): Uint8Array {
  const copy = bytes.slice()
  copy[at] = (copy[at] ?? 0) ^ difference
  return copy
}

/** The text of the bytes, or nothing when they are none. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return bytesToUtf8(bytes)
  } catch {
    return undefined
  }
}

describe('one changed byte', () => {
  test('no change of any byte of a valid chain verifies with another meaning', () => {
    const good = chainFrom(alice)
    const text = formatToken(good)
    const bytes = utf8ToBytes(text)
    const sameMeaning = new Set<string>()
    for (let at = 0; at < bytes.length; at++) {
      for (const difference of differences([0x01, 0x20, 0x80])) {
        const changed = textOf(mutated(bytes, at, difference))
        if (changed === undefined) continue
        const parsed = parseToken(changed)
        if (!parsed.ok) continue
        if (formatToken({ ...parsed.value }) === text) sameMeaning.add(changed)
        else assert.equal(verifyToken(parsed.value, { nowNs: NOW_NS }).ok, false, changed)
      }
    }
    // Only the case of a member's name is no part of the meaning.
    for (const changed of sameMeaning) assert.equal(changed.toLowerCase(), text.toLowerCase())
  })

  test('no change of any signed byte is covered by the signature', () => {
    for (const link of chainOf(chainFrom(alice))) {
      const { issuer, signature = new Uint8Array() } = link
      const bytes = signingBytes(link)
      const key = publicKeyOfDid(issuer)
      assert.ok(key.verify(bytes, signature))
      for (let at = 0; at < bytes.length; at++) {
        for (const difference of differences([1]))
          assert.equal(key.verify(mutated(bytes, at, difference), signature), false, `byte ${at}`)
      }
    }
  })

  test('no change of any byte of a signature of any kind verifies', () => {
    for (const signer of [alice, libp2p, ledger, cardano]) {
      const link = token(signer, { subject: bob?.did ?? end.did })
      const { signature = new Uint8Array() } = link
      assert.ok(verifyToken(link, { nowNs: NOW_NS }).ok)
      for (let at = 0; at < signature.length; at++) {
        for (const difference of differences([0x01, 0x80])) {
          const forged = { ...link, signature: mutated(signature, at, difference) }
          if (isOutsideOfMeaning(signer, at)) continue
          assert.equal(verifyToken(forged, { nowNs: NOW_NS }).ok, false, `byte ${at} of ${signer.did}`)
        }
      }
      for (let length = 0; length < signature.length; length++) {
        const cut = { ...link, signature: signature.slice(0, length) }
        assert.equal(verifyToken(cut, { nowNs: NOW_NS }).ok, false, `cut to ${length}`)
      }
    }
  })
})

/** A wallet's message holds a payload that is not looked at (§2.6): here `a0 40`, an empty map and an empty text. */
function isOutsideOfMeaning(signer: Identity, at: number): boolean {
  return signer === cardano && (at === 5 || at === 6)
}
