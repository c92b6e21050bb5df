/** Answers of resolvers and of wallets' programs, changed at random: either they are still good, or the error is one of ours. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateKey } from '../../../../src/lib/crypto/index.ts'
import {
  DidResolutionError,
  openEternl,
  openLedger,
  parseDid,
  publicKeyOfDocument,
  WalletError
} from '../../../../src/lib/did/index.ts'
import { SeededRandom, utf8ToBytes } from '../../../../src/utils/index.ts'

const random = new SeededRandom(11)
const CASES = 2000
const DID = parseDid(`did:prism:${'a'.repeat(64)}`)

function below(limit: number): number {
  const [high = 0, low = 0] = random.bytes(2)
  return (high * 256 + low) % limit
}

/** Flips, drops, doubles and inserts bytes; sometimes cuts. */
function mutated(bytes: Uint8Array): Uint8Array {
  const changed = [...bytes]
  for (let change = below(4); change >= 0; change--) {
    const at = below(changed.length + 1)
    const kind = below(5)
    if (kind === 0) changed[at] = below(256)
    else if (kind === 1) changed.splice(at, 1 + below(4))
    else if (kind === 2) changed.splice(at, 0, below(256))
    else if (kind === 3) changed.splice(at, 0, ...changed.slice(at, at + below(40)))
    else changed.length = at
  }
  return Uint8Array.from(changed)
}

function documentText(): Uint8Array {
  const x = Buffer.from(generateKey(random).publicKey.raw).toString('base64url')
  const method = { id: `${DID}#a`, type: 'JsonWebKey2020', publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x } }
  return utf8ToBytes(JSON.stringify({ id: DID, verificationMethod: [method], authentication: ['#a'] }))
}

describe('an answer changed at random', () => {
  it('of a resolver gives a key or a known error', () => {
    const good = documentText()
    let refused = 0
    for (let number = 0; number < CASES; number++) {
      try {
        assert.equal(publicKeyOfDocument(DID, mutated(good)).raw.length, 32)
      } catch (error) {
        assert.ok(error instanceof DidResolutionError, String(error))
        refused++
      }
    }
    assert.ok(refused > CASES / 2)
  })

  it('of a wallet is never taken for a signature that does not verify', async () => {
    const key = utf8ToBytes(
      JSON.stringify({ key: `02${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}` })
    )
    const signature = utf8ToBytes(
      JSON.stringify({ ecdsa: { v: 27, r: '11'.repeat(32), s: '22'.repeat(32) } })
    )
    const eternl = utf8ToBytes(`PubKeyRaw:[${'d7'.repeat(32)}]\nSignature:[${'00'.repeat(80)}]`)
    for (let number = 0; number < CASES; number++) {
      const run = async (action: string): Promise<Uint8Array> => mutated(action === 'key' ? key : signature)
      const ledger = openLedger({ run }, { account: 0 }).then(signer => signer.sign(utf8ToBytes('x')))
      await assert.rejects(ledger, error => error instanceof WalletError)
      const wallet = openEternl({ run: async () => mutated(eternl) })
      await assert.rejects(wallet, error => error instanceof WalletError)
    }
  })
})
