import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import {
  actorIdOf,
  bytesToBase58,
  generateKey,
  KeyFormatError,
  peerIdOf,
  privateKeyFromProtobuf,
  publicKeyFromRaw
} from '../../../../src/lib/crypto/index.ts'
import {
  actorIdOfDid,
  DidError,
  didMethod,
  didOf,
  didOfActorId,
  didOfPeerId,
  EMPTY_HANDLE,
  isDid,
  keySigner,
  parseDid,
  peerIdOfDid,
  publicKeyOfDid,
  rootHandleOfDid,
  rootHandleOfPeer
} from '../../../../src/lib/did/index.ts'
import { bytesToHex, hexToBytes, SeededRandom, utf8ToBytes } from '../../../../src/utils/index.ts'

const observed = JSON.parse(
  readFileSync(new URL('../../../vectors/identity-observed.json', import.meta.url), 'utf8')
).observed
const key = generateKey(new SeededRandom(1))
const secp = privateKeyFromProtobuf(hexToBytes(`08021220${'07'.repeat(32)}`))
const network = parseDid(observed.nunet_public_network_did.did)

describe('DID syntax', () => {
  test('three parts are a DID, of any method', () => {
    for (const text of [network, 'did:example:root1', ...observed.prism_test_dids.dids]) {
      assert.equal(parseDid(text), text)
      assert.equal(isDid(text), true)
    }
    assert.equal(didMethod(parseDid('did:prism:abc')), 'prism')
  })

  test('anything else is refused', () => {
    const bad = [
      '',
      'did',
      'did:',
      'did:key',
      'did:key:',
      'did::x',
      'did:key:a:b',
      'DID:key:a',
      'did:Key:a',
      ':key:a',
      'x:key:a'
    ]
    const odd = [
      ' did:key:a',
      'did:key:a\n',
      'did:key:a b',
      'did:key:a/b',
      'did:key:a#b',
      'did:key:é',
      `did:key:${'a'.repeat(600)}`
    ]
    for (const text of [...bad, ...odd]) {
      assert.throws(() => parseDid(text), DidError, JSON.stringify(text))
      assert.equal(isDid(text), false)
    }
    for (const value of [undefined, null, 5, {}]) assert.equal(isDid(value), false)
  })
})

describe('did:key', () => {
  test('the network DID of the documentation is a Ledger key', () => {
    const found = publicKeyOfDid(network)
    assert.equal(found.type, 'Eth')
    assert.equal(bytesToHex(found.raw), observed.nunet_public_network_did.ourDecode.compressedSecp256k1PubHex)
    assert.equal(didOf(found), network)
  })

  test('the observed Cardano key has its DID', () => {
    const { did, ed25519PubHex } = observed.eternl_cose_signature.ourDecode
    const found = publicKeyOfDid(parseDid(did))
    assert.equal(found.type, 'Cardano')
    assert.equal(bytesToHex(found.raw), ed25519PubHex)
    assert.equal(didOf(found), did)
  })

  test('each key type begins as specified and comes back', () => {
    const starts: [string, ReturnType<typeof publicKeyFromRaw>][] = [
      ['did:key:z6Mk', key.publicKey],
      ['did:key:zQ3s', secp.publicKey],
      ['did:key:zzCH', publicKeyFromRaw('Eth', secp.publicKey.raw)],
      ['did:key:zE4Mr', publicKeyFromRaw('Cardano', key.publicKey.raw)]
    ]
    for (const [start, publicKey] of starts) {
      const did = didOf(publicKey)
      assert.ok(did.startsWith(start), did)
      assert.equal(publicKeyOfDid(did).type, publicKey.type)
      assert.deepEqual(publicKeyOfDid(did).raw, publicKey.raw)
    }
  })

  test('other multibases, key types, lengths and unusable keys are refused', () => {
    const encode = (hex: string): string => `did:key:z${bytesToBase58(hexToBytes(hex))}`
    const bad = [
      'did:key:f6Mk',
      'did:key:z',
      'did:key:z0',
      encode('ed01'),
      encode(`ed01${'11'.repeat(31)}`),
      encode(`ed01${'11'.repeat(33)}`),
      encode(`ed8100${'11'.repeat(32)}`), // the codec with a needless byte
      encode(`8024${'11'.repeat(33)}`), // P-256
      encode(`ed01${'00'.repeat(32)}`), // small order
      encode(`e701${'02'.repeat(33)}`.replace(/^(e701)02/, '$105'))
    ]
    for (const text of bad) assert.throws(() => publicKeyOfDid(parseDid(text)), DidError, text)
    assert.throws(() => publicKeyOfDid(parseDid('did:prism:abc')), /method must be 'key'/)
  })
})

describe('names of one key', () => {
  test('convert into each other', () => {
    for (const { publicKey } of [key, secp]) {
      const [did, peer, actor] = [didOf(publicKey), peerIdOf(publicKey), actorIdOf(publicKey)]
      assert.equal(didOfPeerId(peer), did)
      assert.equal(didOfActorId(actor), did)
      assert.equal(peerIdOfDid(did), peer)
      assert.equal(actorIdOfDid(did), actor)
      const handle = { id: actor, did, address: { host: peer, inbox: 'root' } }
      assert.deepEqual(rootHandleOfPeer(peer), handle)
      assert.deepEqual(rootHandleOfDid(did), handle)
    }
  })

  test('a wallet has no handle', () => {
    assert.throws(() => rootHandleOfDid(network), KeyFormatError)
    assert.throws(() => actorIdOfDid(network), KeyFormatError)
    assert.throws(() => rootHandleOfDid(parseDid('did:prism:abc')), DidError)
  })

  test('the empty handle is empty', () => {
    assert.deepEqual(EMPTY_HANDLE, { id: '', did: '', address: { host: '', inbox: '' } })
  })

  test('a key signer signs for its DID', async () => {
    const signer = keySigner(key)
    const signature = await signer.sign(utf8ToBytes('x'))
    assert.equal(publicKeyOfDid(signer.did).verify(utf8ToBytes('x'), signature), true)
  })
})
