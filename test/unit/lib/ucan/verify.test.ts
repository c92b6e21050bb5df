import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { publicKeyFromRaw, writeDerSignature } from '../../../../src/lib/crypto/index.ts'
import { didOf, parseDid } from '../../../../src/lib/did/index.ts'
import {
  formatToken,
  parseToken,
  signingBytes,
  type Token,
  VerifiedChains,
  type VerifyOptions,
  verifyToken
} from '../../../../src/lib/ucan/index.ts'
import { concatBytes, utf8ToBytes } from '../../../../src/utils/index.ts'
import { HOUR_NS, identity, NOW_NS, token, verdict } from '../parties.ts'

const [alice, bob, carol, dave] = [identity('alice'), identity('bob'), identity('carol'), identity('dave')]

function verify(item: Token, options: Partial<VerifyOptions> = {}): string {
  return verdict(verifyToken(item, { nowNs: NOW_NS, ...options }))
}

/** alice → bob → carol, the leaf an invocation. */
function chainOf3(
  changes: { root?: Partial<Token>; middle?: Partial<Token>; leaf?: Partial<Token> } = {}
): Token {
  const root = token(alice, { subject: bob.did, ...changes.root })
  const middle = token(bob, { subject: carol.did, chain: root, ...changes.middle })
  return token(carol, { action: 'invoke', subject: dave.did, chain: middle, ...changes.leaf })
}

describe('rules of one token', () => {
  test('a self-signed token verifies', () => {
    assert.equal(verify(token(alice, { subject: bob.did })), 'ok')
  })

  test('a good chain verifies', () => {
    assert.equal(verify(chainOf3()), 'ok')
  })

  test('good until its expiry and not a nanosecond longer, each ancestor included', () => {
    for (const link of ['root', 'middle', 'leaf'] as const) {
      const item = chainOf3({
        leaf: { expiresAtNs: NOW_NS },
        middle: { expiresAtNs: NOW_NS },
        root: { expiresAtNs: NOW_NS }
      })
      assert.equal(verify(item), 'ok', link)
      assert.equal(verify(item, { nowNs: NOW_NS + 1n }), 'UCAN_EXPIRED', link)
    }
    assert.equal(verify(chainOf3({ root: { expiresAtNs: NOW_NS - 1n } })), 'UCAN_EXPIRED')
  })

  test('an unsigned token and a foreign signature are refused', () => {
    const good = token(alice, { subject: bob.did })
    assert.equal(verify({ ...good, signature: undefined }), 'UCAN_SIGNATURE')
    assert.equal(verify({ ...good, signature: bob.key.sign(signingBytes(good)) }), 'UCAN_SIGNATURE')
    assert.equal(verify({ ...good, signature: new Uint8Array(64) }), 'UCAN_SIGNATURE')
  })

  test('every field is covered by the signature', () => {
    const good = chainOf3({
      root: { topics: ['/t'], depth: 5n, audience: dave.did },
      middle: { audience: dave.did, topics: ['/t'] },
      leaf: { audience: dave.did, topics: ['/t'] }
    })
    assert.equal(verify(good), 'ok')
    const changes: Partial<Token>[] = [
      { action: 'broadcast' },
      { subject: alice.did },
      { topics: [] },
      { capabilities: ['/a/b'] },
      { capabilities: [] },
      { capabilities: null },
      { nonce: new Uint8Array(12).fill(9) },
      { nonce: null },
      { expiresAtNs: NOW_NS + HOUR_NS - 1n },
      { depth: 9n },
      { chain: undefined }
    ]
    for (const change of changes) {
      assert.equal(verify({ ...good, ...change }), 'UCAN_SIGNATURE', JSON.stringify(Object.keys(change)))
    }
  })

  test('a signature for a message of an actor does not sign a token', () => {
    const good = token(alice, { subject: bob.did })
    const text = Buffer.from(signingBytes(good)).toString().replace('dms:token:', 'dms:msg:')
    assert.equal(verify({ ...good, signature: alice.key.sign(utf8ToBytes(text)) }), 'UCAN_SIGNATURE')
  })

  test('an issuer whose key cannot be known is refused, and resolvers can supply keys', () => {
    const prism = parseDid('did:prism:abc')
    const item = token(alice, { subject: bob.did, issuer: prism })
    assert.equal(verify(item), 'UCAN_ISSUER_KEY')
    assert.equal(verify(item, { keyOf: () => alice.key.publicKey }), 'ok')
  })

  test('an empty capability or topic anywhere is refused', () => {
    assert.equal(
      verify(token(alice, { subject: bob.did, capabilities: ['/a', ''] })),
      'UCAN_EMPTY_CAPABILITY'
    )
    assert.equal(verify(token(alice, { subject: bob.did, topics: [''] })), 'UCAN_EMPTY_CAPABILITY')
    assert.equal(verify(chainOf3({ root: { capabilities: ['', '/a'] } })), 'UCAN_EMPTY_CAPABILITY')
  })

  test('an unknown action verifies; it never authorises anything', () => {
    assert.equal(verify(token(alice, { subject: bob.did, action: 'dance' })), 'ok')
  })

  test('a Ledger signature verifies', () => {
    const scalar = new Uint8Array(32).fill(7)
    const wallet = didOf(publicKeyFromRaw('Eth', secp256k1.getPublicKey(scalar, true)))
    const unsigned = token(alice, { subject: bob.did, issuer: wallet })
    const data = signingBytes(unsigned)
    const digest = keccak_256(concatBytes(utf8ToBytes(`\x19Ethereum Signed Message:\n${data.length}`), data))
    const { r, s } = secp256k1.Signature.fromBytes(
      secp256k1.sign(digest, scalar, { prehash: false }),
      'compact'
    )
    assert.equal(verify({ ...unsigned, signature: writeDerSignature(r, s) }), 'ok')
    assert.equal(
      verify({ ...unsigned, signature: writeDerSignature(r, s), capabilities: ['/b'] }),
      'UCAN_SIGNATURE'
    )
  })
})

describe('rules between links', () => {
  test('only delegations can be built on', () => {
    for (const action of ['invoke', 'broadcast', 'revoke', 'dance', '']) {
      assert.equal(verify(chainOf3({ middle: { action } })), 'UCAN_CHAIN_ACTION', action)
      assert.equal(verify(chainOf3({ root: { action } })), 'UCAN_CHAIN_ACTION', action)
    }
  })

  test('a token cannot outlive any of its ancestors', () => {
    assert.equal(verify(chainOf3({ leaf: { expiresAtNs: NOW_NS + HOUR_NS + 1n } })), 'UCAN_CHAIN_EXPIRY')
    assert.equal(verify(chainOf3({ root: { expiresAtNs: NOW_NS + HOUR_NS - 1n } })), 'UCAN_CHAIN_EXPIRY')
    assert.equal(verify(chainOf3({ leaf: { expiresAtNs: NOW_NS + 1n } })), 'ok')
  })

  test('a token is issued by the subject of its parent', () => {
    assert.equal(verify(chainOf3({ root: { subject: carol.did } })), 'UCAN_CHAIN_ISSUER')
    assert.equal(verify(chainOf3({ middle: { subject: dave.did } })), 'UCAN_CHAIN_ISSUER')
  })

  test('capabilities only narrow', () => {
    assert.equal(verify(chainOf3({ leaf: { capabilities: ['/a/b', '/a'] } })), 'ok')
    for (const capabilities of [['/b'], ['/'], ['/a', '/b'], ['/ab'], ['/a/b', '/a/..', '/']]) {
      assert.equal(
        verify(chainOf3({ leaf: { capabilities } })),
        'UCAN_CAPABILITY_WIDENED',
        capabilities.join()
      )
    }
    assert.equal(verify(chainOf3({ root: { capabilities: null } })), 'UCAN_CAPABILITY_WIDENED')
    assert.equal(verify(chainOf3({ root: { capabilities: ['/a/'] } })), 'UCAN_CAPABILITY_WIDENED')
    assert.equal(verify(chainOf3({ leaf: { capabilities: [] } })), 'ok')
  })

  test('topics only narrow', () => {
    const wide = { root: { topics: ['/n'] }, middle: { topics: ['/n/x'] } }
    assert.equal(verify(chainOf3({ ...wide, leaf: { topics: ['/n/x/y'] } })), 'ok')
    assert.equal(verify(chainOf3({ ...wide, leaf: { topics: ['/n'] } })), 'UCAN_TOPIC_WIDENED')
    assert.equal(verify(chainOf3({ leaf: { topics: ['/n'] } })), 'UCAN_TOPIC_WIDENED')
    assert.equal(verify(chainOf3({ leaf: { topics: ['/n'], capabilities: [] } })), 'UCAN_TOPIC_WIDENED')
  })

  test('an audience narrows once and then stays', () => {
    const held = { root: { audience: alice.did } }
    assert.equal(verify(chainOf3({ leaf: { audience: alice.did } })), 'ok')
    assert.equal(
      verify(chainOf3({ ...held, middle: { audience: alice.did }, leaf: { audience: alice.did } })),
      'ok'
    )
    assert.equal(verify(chainOf3(held)), 'UCAN_AUDIENCE_WIDENED')
    assert.equal(
      verify(chainOf3({ middle: { audience: alice.did }, leaf: { audience: bob.did } })),
      'UCAN_AUDIENCE_WIDENED'
    )
    assert.equal(verify(chainOf3({ middle: { audience: alice.did } })), 'UCAN_AUDIENCE_WIDENED')
  })

  test('a token stands no deeper than its depth', () => {
    assert.equal(verify(chainOf3({ root: { depth: 2n }, middle: { depth: 1n }, leaf: { depth: 1n } })), 'ok')
    assert.equal(verify(chainOf3({ root: { depth: 1n } })), 'UCAN_DEPTH')
    const deeper = token(dave, {
      subject: alice.did,
      action: 'invoke',
      chain: chainOf3({ leaf: { action: 'delegate', depth: 1n }, middle: { depth: 1n } })
    })
    assert.equal(verify(deeper), 'UCAN_DEPTH')
  })

  test('the signature of each ancestor counts', () => {
    const broken = new Uint8Array(64)
    assert.equal(verify(chainOf3({ root: { signature: broken } })), 'UCAN_SIGNATURE')
    assert.equal(verify(chainOf3({ middle: { signature: broken } })), 'UCAN_SIGNATURE')
  })

  test('the refusal names the token, the rule, what was asked and what was held', () => {
    const result = verifyToken(
      chainOf3({ middle: { capabilities: ['/b'] }, leaf: { capabilities: ['/b'] } }),
      { nowNs: NOW_NS }
    )
    assert.ok(!result.ok)
    assert.equal(result.error.code, 'UCAN_CAPABILITY_WIDENED')
    assert.match(
      result.error.message,
      /^token 2 of 3 \(did:key:z6Mk\S+ → did:key:z6Mk\S+\) asks for '\/b'; its parent holds '\/a'$/
    )
    const { position, issuer, subject, asked, held } = {
      position: 0,
      issuer: '',
      subject: '',
      asked: '',
      held: [''],
      ...result.error.details
    }
    assert.deepEqual(
      { position, issuer, subject, asked, held },
      { position: 1, issuer: bob.did, subject: carol.did, asked: '/b', held: ['/a'] }
    )
    JSON.stringify(result.error) // safe to send
  })

  test('names in refusals cannot forge lines', () => {
    const result = verifyToken(chainOf3({ leaf: { capabilities: ['/x\n\u001b[31m\u202eevil'] } }), {
      nowNs: NOW_NS
    })
    assert.ok(!result.ok)
    for (const mark of ['\n', '\u001b', '\u202e']) assert.ok(!result.error.message.includes(mark))
  })

  test('a chain longer than the limit is refused', () => {
    let item = token(alice, { subject: alice.did })
    for (let link = 1; link <= 64; link++) item = token(alice, { subject: alice.did, chain: item })
    assert.equal(verify(item), 'UCAN_CHAIN_TOO_LONG')
    assert.equal(verify(item.chain ?? item), 'ok')
  })
})

describe('revocation', () => {
  test('a revoked token makes every chain with it invalid', () => {
    const item = chainOf3()
    for (const link of [item, item.chain, item.chain?.chain]) {
      assert.equal(verify(item, { isRevoked: other => other === link }), 'UCAN_REVOKED')
    }
  })

  test('of a revocation only its own expiry, issuer and signature count', () => {
    const odd = token(alice, {
      subject: bob.did,
      action: 'revoke',
      depth: 0n,
      capabilities: [''],
      chain: token(bob, { subject: carol.did, action: 'invoke' })
    })
    assert.equal(verify(odd, { isRevoked: () => true }), 'ok')
    assert.equal(verify({ ...odd, signature: new Uint8Array(64) }), 'UCAN_SIGNATURE')
    assert.equal(verify(odd, { nowNs: NOW_NS + 2n * HOUR_NS }), 'UCAN_EXPIRED')
  })
})

describe('remembered chains', () => {
  test('change no verdict: expiry, depth and revocation are looked at again', () => {
    const verified = new VerifiedChains()
    const item = chainOf3()
    assert.equal(verify(item, { verified }), 'ok')
    assert.equal(verified.size, 2)
    assert.equal(verify(item, { verified, isRevoked: link => link === item.chain?.chain }), 'UCAN_REVOKED')
    assert.equal(verify(item, { verified, nowNs: NOW_NS + 2n * HOUR_NS }), 'UCAN_EXPIRED')
    assert.equal(verify({ ...item, capabilities: ['/a/x'] }, { verified }), 'UCAN_SIGNATURE')
  })

  test('a parent changed by one byte is not the remembered one', () => {
    const verified = new VerifiedChains()
    const item = chainOf3()
    assert.equal(verify(item, { verified }), 'ok')
    const text = formatToken(item)
    const parent = formatToken(item.chain ?? item)
    const changed = parseToken(text.replace(parent, parent.replace('"cap":["/a"]', '"cap":["/"]')))
    assert.ok(changed.ok)
    assert.notEqual(verify(changed.value, { verified }), 'ok')
    const signature = item.chain?.signature?.slice() ?? new Uint8Array()
    signature[5] = (signature[5] ?? 0) ^ 1
    const forged = token(carol, {
      action: 'invoke',
      subject: dave.did,
      chain: { ...(item.chain ?? item), signature }
    })
    assert.equal(verify(forged, { verified }), 'UCAN_SIGNATURE')
  })

  test('a parent seen before costs no signature check, a broken one is not remembered', () => {
    const verified = new VerifiedChains()
    const item = chainOf3()
    let looked = 0
    const keyOf = (did: Token['issuer']) => {
      looked++
      return [alice, bob, carol].find(one => one.did === did)?.key.publicKey ?? alice.key.publicKey
    }
    assert.equal(verify(item, { verified, keyOf }), 'ok')
    assert.equal(looked, 3)
    assert.equal(verify(item, { verified, keyOf }), 'ok')
    assert.equal(looked, 4)
    const broken = chainOf3({ middle: { signature: new Uint8Array(64) } })
    assert.equal(verify(broken, { verified, keyOf }), 'UCAN_SIGNATURE')
    assert.equal(verify(broken, { verified, keyOf }), 'UCAN_SIGNATURE')
  })

  test('are none of a chain that is broken anywhere: anybody can forge a link on links of their own', () => {
    const verified = new VerifiedChains()
    assert.equal(
      verify(chainOf3({ leaf: { signature: new Uint8Array(64) } }), { verified }),
      'UCAN_SIGNATURE'
    )
    assert.equal(
      verify(chainOf3({ middle: { signature: new Uint8Array(64) } }), { verified }),
      'UCAN_SIGNATURE'
    )
    assert.equal(verified.size, 0)
  })

  test('are bounded, newest kept, and dropped at expiry', () => {
    const verified = new VerifiedChains(2)
    verified.add('a', 10n)
    verified.add('b', 20n)
    assert.equal(verified.has('a', 5n), true)
    verified.add('c', 20n)
    assert.deepEqual(
      [verified.has('a', 5n), verified.has('b', 5n), verified.has('c', 5n)],
      [true, false, true]
    )
    assert.equal(verified.has('a', 11n), false)
    verified.dropExpired(21n)
    assert.equal(verified.size, 0)
  })
})
