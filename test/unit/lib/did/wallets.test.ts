/** Wallets behind narrow programs: what their answers become, and that nothing is taken as it comes. */

import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import {
  type EternlProgram,
  type LedgerProgram,
  openEternl,
  openLedger,
  publicKeyOfDid
} from '../../../../src/lib/did/index.ts'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '../../../../src/utils/index.ts'

const SECRET = new Uint8Array(32).fill(7)
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const observed = JSON.parse(
  readFileSync(new URL('../../../vectors/identity-observed.json', import.meta.url), 'utf8')
).observed

function personal(data: Uint8Array): Uint8Array {
  return keccak_256(concatBytes(utf8ToBytes(`\u0019Ethereum Signed Message:\n${data.length}`), data))
}

function ecdsa(data: Uint8Array, secret = SECRET): { r: string; s: string } {
  const compact = secp256k1.sign(personal(data), secret, { prehash: false, format: 'compact' })
  return { r: bytesToHex(compact.slice(0, 32)), s: bytesToHex(compact.slice(32)) }
}

interface Answers {
  key?: unknown
  sign?: unknown
}

/** A Ledger that keeps what it was asked. */
class FakeLedger implements LedgerProgram {
  readonly calls: string[] = []
  readonly #answers: Answers

  constructor(answers: Answers = {}) {
    this.#answers = answers
  }

  async run(action: 'key' | 'sign', words: readonly string[]): Promise<Uint8Array> {
    this.calls.push([action, ...words].join(' '))
    const answer = this.#answers[action] ?? this.#honest(action, words)
    return answer instanceof Uint8Array ? answer : utf8ToBytes(JSON.stringify(answer))
  }

  #honest(action: 'key' | 'sign', words: readonly string[]): unknown {
    if (action === 'key') return { key: bytesToHex(secp256k1.getPublicKey(SECRET)), address: '' }
    return { ecdsa: { v: 27, ...ecdsa(hexToBytes(words[2] ?? '')) } }
  }
}

async function signed(answer: unknown): Promise<Uint8Array> {
  const signer = await openLedger(new FakeLedger({ sign: answer }), { account: 0 })
  return await signer.sign(utf8ToBytes('x'))
}

describe('a Ledger', () => {
  it('is asked for the key of the account and for signatures in hex, and its signatures verify', async () => {
    const ledger = new FakeLedger()
    const signer = await openLedger(ledger, { account: 3 })
    assert.match(signer.did, /^did:key:zzCH/)
    const data = utf8ToBytes('dms:token:{}')
    const signature = await signer.sign(data)
    assert.equal(publicKeyOfDid(signer.did).verify(data, signature), true)
    assert.deepEqual(ledger.calls, ['key -a 3', `sign -a 3 ${bytesToHex(data)}`])
  })

  it('may show its key in any SEC 1 form', async () => {
    const forms = [secp256k1.getPublicKey(SECRET, true), secp256k1.getPublicKey(SECRET, false)]
    const hybrid = forms[1]?.slice() ?? assert.fail()
    hybrid[0] = 6 + ((hybrid[64] ?? 0) & 1)
    const dids = await Promise.all(
      [...forms, hybrid].map(
        async key => (await openLedger(new FakeLedger({ key: { key: bytesToHex(key) } }), { account: 0 })).did
      )
    )
    assert.equal(new Set(dids).size, 1)
  })

  it('has its signature stored with low s, whichever of the two it gave', async () => {
    const { r, s } = ecdsa(utf8ToBytes('x'))
    const high = (ORDER - BigInt(`0x${s}`)).toString(16).padStart(64, '0')
    assert.deepEqual(await signed({ ecdsa: { r, s: high } }), await signed({ ecdsa: { r, s } }))
  })

  for (const [what, answer, code] of [
    ['no JSON', utf8ToBytes('ok'), 'WALLET_ANSWER_UNREADABLE'],
    ['no text', Uint8Array.of(0xff), 'WALLET_ANSWER_UNREADABLE'],
    ['too much', new Uint8Array(70_000).fill(32), 'WALLET_ANSWER_UNREADABLE'],
    ['no key', {}, 'WALLET_ANSWER_UNREADABLE'],
    ['null', null, 'WALLET_ANSWER_UNREADABLE'],
    ['a key that is no text', { key: 1 }, 'WALLET_ANSWER_UNREADABLE'],
    ['hex with 0x', { key: `0x${'02'.repeat(33)}` }, 'WALLET_ANSWER_NOT_HEX'],
    ['a key of no point', { key: `02${'ff'.repeat(32)}` }, 'WALLET_KEY_INVALID'],
    ['the point at infinity', { key: '00' }, 'WALLET_KEY_INVALID'],
    ['an endless key', { key: '02'.repeat(5000) }, 'WALLET_KEY_INVALID'],
    ['an empty key', { key: '' }, 'WALLET_KEY_INVALID']
  ] as const) {
    it(`that answers ${what} for its key is ${code}`, async () => {
      const ledger = new FakeLedger({ key: answer ?? utf8ToBytes('null') })
      await assert.rejects(openLedger(ledger, { account: 0 }), { code })
    })
  }

  for (const [what, ecdsaAnswer, code] of [
    ['no r', { s: '01' }, 'WALLET_ANSWER_UNREADABLE'],
    ['r that is not hex', { r: 'zz', s: '01' }, 'WALLET_ANSWER_NOT_HEX'],
    ['r with 0x', { r: '0x01', s: '01' }, 'WALLET_ANSWER_NOT_HEX'],
    ['an empty r', { r: '', s: '01' }, 'WALLET_SIGNATURE_INVALID'],
    ['r of zero', { r: '00', s: '01' }, 'WALLET_SIGNATURE_INVALID'],
    ['r of the order', { r: ORDER.toString(16), s: '01' }, 'WALLET_SIGNATURE_INVALID'],
    ['s of the order', { r: '01', s: ORDER.toString(16) }, 'WALLET_SIGNATURE_INVALID'],
    ['a signature of something else', ecdsa(utf8ToBytes('y')), 'WALLET_KEY_DIFFERS'],
    ['a signature by another key', ecdsa(utf8ToBytes('x'), new Uint8Array(32).fill(8)), 'WALLET_KEY_DIFFERS']
  ] as const) {
    it(`that gives ${what} is ${code}`, async () => {
      await assert.rejects(signed({ ecdsa: ecdsaAnswer }), { code })
    })
  }
})

const SEED = Buffer.alloc(32, 3)
const COSE_KEY = 'a4010103272006215820'

function coseSign1(data: Uint8Array, seed: Uint8Array = SEED): string {
  const key = createPrivateKey({
    key: Buffer.concat([hexToBytes('302e020100300506032b657004220420'), seed]),
    format: 'der',
    type: 'pkcs8'
  })
  const structure = `846a5369676e61747572653143a1012740${cborBytes(data)}`
  return `8443a10127a040${cborBytes(sign(null, hexToBytes(structure), key))}`
}

function cborBytes(data: Uint8Array): string {
  const head = data.length < 24 ? [0x40 | data.length] : [0x58, data.length]
  return bytesToHex(concatBytes(Uint8Array.from(head), data))
}

function publicKeyHex(seed: Uint8Array = SEED): string {
  const key = createPrivateKey({
    key: Buffer.concat([hexToBytes('302e020100300506032b657004220420'), seed]),
    format: 'der',
    type: 'pkcs8'
  })
  const jwk = key.export({ format: 'jwk' })
  return Buffer.from(String(jwk.x), 'base64url').toString('hex')
}

function eternl(answer: (data: Uint8Array) => string): EternlProgram {
  return { run: async hex => utf8ToBytes(answer(hexToBytes(hex))) }
}

const honest = eternl(data => `ready\nPubKeyRaw:[${publicKeyHex()}]\nSignature:[${coseSign1(data)}]\n`)

describe('a Cardano wallet', () => {
  it('shows the key of the observed answer', async () => {
    const { coseKeyHex, coseSign1Hex, ourDecode } = observed.eternl_cose_signature
    const seen: string[] = []
    const signer = await openEternl({
      run: async hex => {
        seen.push(hex)
        return utf8ToBytes(`PubKeyRaw:[${coseKeyHex}] Signature:[${coseSign1Hex}]`)
      }
    })
    assert.equal(signer.did, ourDecode.did)
    assert.deepEqual(seen, [observed.eternl_pubkey_probe_hex.value.toLowerCase()])
  })

  it('signs what verifies, whichever way it writes its key', async () => {
    const data = utf8ToBytes('dms:token:{}')
    for (const head of ['', COSE_KEY, 'a301012006215820']) {
      const program = eternl(text => `PubKeyRaw:[${head}${publicKeyHex()}] Signature:[${coseSign1(text)}]`)
      const signer = await openEternl(program)
      assert.match(signer.did, /^did:key:zE4Mr/)
      assert.equal(publicKeyOfDid(signer.did).verify(data, await signer.sign(data)), true)
    }
  })

  for (const [what, text, code] of [
    ['nothing', '', 'WALLET_ANSWER_UNREADABLE'],
    ['no signature', `PubKeyRaw:[${publicKeyHex()}]`, 'WALLET_ANSWER_UNREADABLE'],
    ['a key that is not hex', 'PubKeyRaw:[zz] Signature:[00]', 'WALLET_ANSWER_NOT_HEX'],
    ['a key of small order', `PubKeyRaw:[${'00'.repeat(32)}] Signature:[00]`, 'WALLET_KEY_INVALID'],
    ['a short key', 'PubKeyRaw:[00] Signature:[00]', 'WALLET_KEY_INVALID'],
    [
      'a COSE key of another curve',
      `PubKeyRaw:[a4010103272007215820${publicKeyHex()}] Signature:[00]`,
      'WALLET_KEY_INVALID'
    ],
    ['a signature that is none', `PubKeyRaw:[${publicKeyHex()}] Signature:[00]`, 'WALLET_SIGNATURE_INVALID'],
    [
      'a signature of something else',
      `PubKeyRaw:[${publicKeyHex()}] Signature:[${coseSign1(utf8ToBytes('y'))}]`,
      'WALLET_SIGNATURE_INVALID'
    ]
  ] as const) {
    it(`that answers ${what} is ${code}`, async () => {
      await assert.rejects(openEternl(eternl(() => text)), { code })
    })
  }

  it('that changes its key between two answers is found out', async () => {
    let seed = SEED
    const signer = await openEternl(
      eternl(data => `PubKeyRaw:[${publicKeyHex(seed)}] Signature:[${coseSign1(data, seed)}]`)
    )
    seed = Buffer.alloc(32, 4)
    await assert.rejects(async () => signer.sign(utf8ToBytes('x')), { code: 'WALLET_KEY_DIFFERS' })
  })

  it('answers like the honest one of these tests', async () => {
    assert.match((await openEternl(honest)).did, /^did:key:zE4Mr/)
  })
})
