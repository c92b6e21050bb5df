import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import { generateKey, peerIdOf } from '../../../src/lib/crypto/index.ts'
import {
  listenFailure,
  parseTarget,
  sortListenAddresses,
  withoutPeer
} from '../../../src/network/libp2p/addresses.ts'
import { messageId } from '../../../src/network/libp2p/gossip-options.ts'
import { Penalties } from '../../../src/network/libp2p/penalties.ts'
import { bytesToHex, hexToBytes, SeededRandom, VirtualClock } from '../../../src/utils/index.ts'

const peer = peerIdOf(generateKey(new SeededRandom('addresses')).publicKey)

describe('addresses', () => {
  it('name a peer, with or without a way to it', () => {
    assert.deepEqual(parseTarget(`/p2p/${peer}`), { peer, address: undefined })
    const target = parseTarget(`/dns4/example.org/tcp/9000/p2p/${peer}`)
    assert.equal(target.peer, peer)
    assert.equal(target.address?.toString(), `/dns4/example.org/tcp/9000/p2p/${peer}`)
    const old = 'QmQ2irHa8aFTLRhkbkQCRrounE4MbttNp8ki7Nmys4F9NP'
    assert.equal(parseTarget(`/dnsaddr/bootstrap.p2p.nunet.io/p2p/${old}`).peer, old)
  })

  it('that name no peer are refused', () => {
    for (const text of ['', 'x', '/', '/p2p', '/p2p/x', '/ip4/1.2.3.4/tcp/1', `/p2p/${peer}/tcp/1`, peer]) {
      assert.throws(() => parseTarget(text), { code: 'NETWORK_ADDRESS_INVALID' }, text)
    }
  })

  it('to listen on are sorted into TCP and others', () => {
    assert.deepEqual(
      sortListenAddresses([
        '/ip4/0.0.0.0/tcp/9000',
        '/ip4/0.0.0.0/udp/9000/quic-v1',
        '/ip6/::/tcp/9000',
        '/ip4/0.0.0.0/tcp/9001/ws'
      ]),
      {
        usable: ['/ip4/0.0.0.0/tcp/9000', '/ip6/::/tcp/9000'],
        skipped: ['/ip4/0.0.0.0/udp/9000/quic-v1', '/ip4/0.0.0.0/tcp/9001/ws']
      }
    )
  })

  it('lose the peer at their end, but relay addresses keep the relay', () => {
    assert.equal(withoutPeer(multiaddr(`/ip4/1.2.3.4/tcp/1/p2p/${peer}`)), '/ip4/1.2.3.4/tcp/1')
    assert.equal(withoutPeer(multiaddr('/ip4/1.2.3.4/tcp/1')), '/ip4/1.2.3.4/tcp/1')
    const relayed = `/ip4/1.2.3.4/tcp/1/p2p/${peer}/p2p-circuit`
    assert.equal(withoutPeer(multiaddr(`${relayed}/p2p/${peer}`)), relayed)
  })

  it('that cannot be listened on are named in the error; other errors stay as they are', () => {
    const cause = new Error('Some failed:\n  /ip4/0.0.0.0/tcp/80: Error: listen EACCES: permission denied')
    const error = listenFailure(cause, ['/ip4/0.0.0.0/tcp/80', '/ip4/0.0.0.0/tcp/9000'])
    assert.ok(error instanceof Error)
    assert.equal(error.message, "cannot listen on '/ip4/0.0.0.0/tcp/80': the system does not permit it")
    const other = new Error('other')
    assert.equal(listenFailure(other, []), other)
  })
})

describe('gossip', () => {
  it('names messages as the Go library does: bytes of the peer id, then the sequence number', () => {
    const from = hexToBytes(`0024080112${'20'}${'ab'.repeat(32)}`)
    assert.equal(bytesToHex(messageId(from, 0x0102n)), `0024080112${'20'}${'ab'.repeat(32)}0000000000000102`)
  })
})

describe('penalties', () => {
  it('add up, fade with time, and are bounded in height and number', async () => {
    const clock = new VirtualClock()
    const penalties = new Penalties({ clock })
    assert.equal(penalties.of('a'), 0)
    penalties.add('a')
    penalties.add('a')
    assert.equal(penalties.of('a'), 20)
    await clock.advance(60_000)
    assert.equal(penalties.of('a'), 10)
    await clock.advance(60_000)
    assert.equal(penalties.of('a'), 0)
    for (let index = 0; index < 10_000; index++) penalties.add('b')
    assert.equal(penalties.of('b'), 5_000)
    for (let index = 0; index < 1_024; index++) penalties.add(`peer ${index}`)
    assert.equal(penalties.of('b'), 0)
    assert.equal(penalties.of('peer 1023'), 10)
  })
})
