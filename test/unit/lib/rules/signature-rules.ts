/** Rules of signatures and keys (§1, §2.2 to §2.6): what could be read in several ways, one by one. */

import { ed25519 } from '@noble/curves/ed25519.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { publicKeyFromRaw } from '../../../../src/lib/crypto/index.ts'
import { isDid, parseDid, publicKeyOfDid } from '../../../../src/lib/did/index.ts'
import { verifyToken } from '../../../../src/lib/ucan/index.ts'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '../../../../src/utils/index.ts'
import { identity, NOW_NS, token } from '../parties.ts'
import { answer, codesOf, type Outcome, type Rule, thrown } from './rule.ts'

const [alice, bob] = [identity('alice'), identity('bob')]
const good = token(alice, { subject: bob.did, capabilities: ['/a'], depth: 5n })

/** A token whose signature was replaced. */
function signed(signature: Uint8Array): Outcome {
  return codesOf(verifyToken({ ...good, signature }, { nowNs: NOW_NS }))
}

const ED25519_ORDER = 2n ** 252n + 27742317777372317773535851937790883648493n
const little = (bytes: Uint8Array): bigint => BigInt(`0x${bytesToHex(bytes.slice().reverse())}`)
const toLittle = (value: bigint): Uint8Array => hexToBytes(value.toString(16).padStart(64, '0')).reverse()
const [r, s] = [
  good.signature?.slice(0, 32) ?? new Uint8Array(),
  good.signature?.slice(32) ?? new Uint8Array()
]

const rawKey =
  (hex: string, type: 'Ed25519' | 'Secp256k1' = 'Ed25519') =>
  (): Promise<Outcome> =>
    thrown(() => publicKeyFromRaw(type, hexToBytes(hex)))

const scalar = new Uint8Array(32).fill(7)
const point = publicKeyFromRaw('Secp256k1', secp256k1.getPublicKey(scalar, true))
const message = utf8ToBytes('message')
const ecdsa = secp256k1.Signature.fromBytes(secp256k1.sign(message, scalar, { lowS: true }), 'compact')
const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

function integer(value: bigint, pad = 0): Uint8Array {
  const hex = value.toString(16)
  const bytes = hexToBytes(hex.padStart(hex.length + (hex.length % 2), '0'))
  const minimal = (bytes[0] ?? 0) >= 0x80 ? concatBytes(Uint8Array.of(0), bytes) : bytes
  const padded = concatBytes(new Uint8Array(pad), minimal)
  return concatBytes(Uint8Array.of(2, padded.length), padded)
}

function sequence(...parts: Uint8Array[]): Uint8Array {
  const body = concatBytes(...parts)
  return concatBytes(Uint8Array.of(0x30, body.length), body)
}

const der =
  (...parts: Uint8Array[]) =>
  (): Outcome =>
    answer(point.verify(message, concatBytes(...parts)))

/** A Cardano message over `data`: header `{1: -8}`, then what is not signed, then the signature. */
function cardanoMessage(data: Uint8Array, unsigned: string): Uint8Array {
  const structure = hexToBytes(`846a5369676e61747572653143a101274047${bytesToHex(data)}`)
  return concatBytes(hexToBytes(`8443a10127${unsigned}5840`), alice.key.sign(structure))
}

const wallet = publicKeyFromRaw('Cardano', alice.key.publicKey.raw)

/** Signatures that could be read in several ways, and keys that must not be taken. */
export const signatureRules: readonly Rule[] = [
  {
    source: '§2.4',
    says: 'an Ed25519 signature verifies',
    code: 'ok',
    provoke: () => signed(good.signature ?? s)
  },
  {
    source: '§2.4',
    says: 'an Ed25519 scalar S + L, which means the same, is refused: no second signature for a token',
    code: 'UCAN_SIGNATURE',
    provoke: () => signed(concatBytes(r, toLittle(little(s) + ED25519_ORDER)))
  },
  {
    source: '§2.4',
    says: 'an Ed25519 scalar equal to L is refused',
    code: 'UCAN_SIGNATURE',
    provoke: () => signed(concatBytes(r, toLittle(ED25519_ORDER)))
  },
  {
    source: '§2.4',
    says: 'an Ed25519 signature of 63 or 65 bytes is refused',
    code: 'UCAN_SIGNATURE',
    provoke: () =>
      [
        ...signed((good.signature ?? s).slice(1)),
        ...signed(concatBytes(good.signature ?? s, Uint8Array.of(0)))
      ]
        .filter(code => code !== 'UCAN_SIGNATURE')
        .concat('UCAN_SIGNATURE')
  },
  {
    source: '§2.4',
    says: 'an Ed25519 signature with the neutral point as R and 0 as S is refused',
    code: 'UCAN_SIGNATURE',
    provoke: () => signed(concatBytes(toLittle(1n), toLittle(0n)))
  },
  {
    source: '§2.4',
    says: 'an Ed25519 R of small order added to the right one is refused',
    code: 'UCAN_SIGNATURE',
    provoke: () => {
      const torsion = ed25519.Point.fromHex(
        '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
        true
      )
      return signed(concatBytes(ed25519.Point.fromBytes(r, true).add(torsion).toBytes(), s))
    }
  },
  {
    source: '§1.1',
    says: 'the neutral point is no Ed25519 key',
    code: 'KEY_FORMAT',
    provoke: rawKey(`01${'00'.repeat(31)}`)
  },
  {
    source: '§1.1',
    says: 'a point of order 2 is no Ed25519 key',
    code: 'KEY_FORMAT',
    provoke: rawKey(`ec${'ff'.repeat(30)}7f`)
  },
  {
    source: '§1.1',
    says: 'a point of order 4 is no Ed25519 key',
    code: 'KEY_FORMAT',
    provoke: rawKey('00'.repeat(32))
  },
  {
    source: '§1.1',
    says: 'a point of order 8 is no Ed25519 key',
    code: 'KEY_FORMAT',
    provoke: rawKey('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')
  },
  {
    source: '§1.1',
    says: 'a y that is not below the field prime is no Ed25519 key',
    code: 'KEY_FORMAT',
    provoke: rawKey(`ee${'ff'.repeat(30)}7f`)
  },
  {
    source: '§1.1',
    says: 'a mixed-order Ed25519 key (with a part of small order) is read; it verifies only what its owner signs',
    code: 'ok',
    provoke: () => {
      const torsion = ed25519.Point.fromHex(
        '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
        true
      )
      const mixed = publicKeyFromRaw(
        'Ed25519',
        ed25519.Point.fromBytes(alice.key.publicKey.raw).add(torsion).toBytes()
      )
      return answer(!mixed.verify(message, alice.key.sign(utf8ToBytes('other'))))
    }
  },
  {
    source: '§1.1',
    says: 'a point that is not on the curve is no secp256k1 key',
    code: 'KEY_FORMAT',
    provoke: rawKey(`02${'00'.repeat(31)}05`, 'Secp256k1')
  },
  {
    source: '§1.1',
    says: 'an uncompressed point is no secp256k1 key',
    code: 'KEY_FORMAT',
    provoke: () => thrown(() => publicKeyFromRaw('Secp256k1', secp256k1.getPublicKey(scalar, false)))
  },
  {
    source: '§12.7',
    says: 'an ECDSA signature with low s verifies',
    code: 'ok',
    provoke: der(sequence(integer(ecdsa.r), integer(ecdsa.s)))
  },
  {
    source: '§12.7',
    says: 'an ECDSA signature with high s verifies as well: existing signers make them, nothing is identified by a signature',
    code: 'ok',
    provoke: der(sequence(integer(ecdsa.r), integer(CURVE_ORDER - ecdsa.s)))
  },
  {
    source: '§2.5',
    says: 'DER with a needless zero in front of an integer is refused',
    code: 'no',
    provoke: der(sequence(integer(ecdsa.r), integer(ecdsa.s, 1)))
  },
  {
    source: '§2.5',
    says: 'DER with a long form of the length is refused',
    code: 'no',
    provoke: () => {
      const body = concatBytes(integer(ecdsa.r), integer(ecdsa.s))
      return answer(point.verify(message, concatBytes(Uint8Array.of(0x30, 0x81, body.length), body)))
    }
  },
  {
    source: '§2.5',
    says: 'DER with a byte behind it is refused',
    code: 'no',
    provoke: der(sequence(integer(ecdsa.r), integer(ecdsa.s)), Uint8Array.of(0))
  },
  {
    source: '§2.5',
    says: 'DER with a third integer is refused',
    code: 'no',
    provoke: der(sequence(integer(ecdsa.r), integer(ecdsa.s), integer(1n)))
  },
  {
    source: '§2.5',
    says: 'DER that ends inside its second integer is refused',
    code: 'no',
    provoke: der(sequence(integer(ecdsa.r), Uint8Array.of(2)))
  },
  {
    source: '§2.5',
    says: 'DER with another type than an integer is refused',
    code: 'no',
    provoke: der(sequence(integer(ecdsa.r), Uint8Array.of(4, 1, 1)))
  },
  {
    source: '§2.5',
    says: 'DER with a negative integer is refused',
    code: 'no',
    provoke: der(sequence(Uint8Array.of(2, 1, 0x80), integer(ecdsa.s)))
  },
  {
    source: '§2.5',
    says: 'an ECDSA r or s of 0 is refused',
    code: 'no',
    provoke: der(sequence(integer(ecdsa.r), integer(0n)))
  },
  {
    source: '§2.5',
    says: 'an ECDSA s of the order or above is refused',
    code: 'no',
    provoke: der(sequence(integer(ecdsa.r), integer(ecdsa.s + CURVE_ORDER)))
  },
  {
    source: '§2.5',
    says: 'an ECDSA signature as 64 bare bytes is refused',
    code: 'no',
    provoke: () => answer(point.verify(message, secp256k1.sign(message, scalar)))
  },
  {
    source: '§2.6',
    says: 'a Cardano message verifies',
    code: 'ok',
    provoke: () => answer(wallet.verify(message, cardanoMessage(message, 'a040')))
  },
  {
    source: '§2.6',
    says: 'the payload and the unprotected header inside a Cardano message are not looked at: the token decides',
    code: 'ok',
    provoke: () => answer(wallet.verify(message, cardanoMessage(message, 'a10102456f74686572')))
  },
  {
    source: '§2.6',
    says: 'a Cardano message over other data is refused',
    code: 'no',
    provoke: () => answer(wallet.verify(utf8ToBytes('messagf'), cardanoMessage(message, 'a040')))
  },
  {
    source: '§2.6',
    says: 'a Cardano message with a byte behind it is refused',
    code: 'no',
    provoke: () =>
      answer(wallet.verify(message, concatBytes(cardanoMessage(message, 'a040'), Uint8Array.of(0))))
  },
  {
    source: '§2.6',
    says: 'a Cardano message with another protected header than was signed is refused',
    code: 'no',
    provoke: () => {
      const changed = cardanoMessage(message, 'a040')
      changed[4] = 0x26
      return answer(wallet.verify(message, changed))
    }
  },
  {
    source: '§2.2',
    says: 'a did:key of another multibase is no key',
    code: 'DID_INVALID',
    provoke: () => thrown(() => publicKeyOfDid(parseDid('did:key:mAAAA')))
  },
  {
    source: '§2.2',
    says: 'a did:key of an unknown key type is no key',
    code: 'DID_INVALID',
    provoke: () => thrown(() => publicKeyOfDid(parseDid('did:key:z2222')))
  },
  {
    source: '§2.2',
    says: 'a did:key with a byte behind its key is no key',
    code: 'DID_INVALID',
    provoke: () => thrown(() => publicKeyOfDid(parseDid(`${alice.did}1`)))
  },
  {
    source: '§2.1',
    says: 'the empty text is no DID (stricter)',
    code: 'no',
    provoke: () => answer(isDid(''))
  }
]
