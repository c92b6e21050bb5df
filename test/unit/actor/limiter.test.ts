import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { signEnvelope } from '../../../src/actor/index.ts'
import { MessageLimiter } from '../../../src/actor/limiter.ts'
import type { Envelope } from '../../../src/actor/types.ts'
import type { PeerId } from '../../../src/types/index.ts'
import { alice, aliceKey, bob, sample } from './message/samples.ts'

const peerA = hostOf(alice.address.host)
const peerB = hostOf(bob.address.host)

function hostOf(host: PeerId | ''): PeerId {
  assert.ok(host !== '')
  return host
}

function message(behavior: string, topic = ''): Envelope {
  return signEnvelope(sample({ behavior, options: { expiresAtNs: 1n, replyTo: '', topic } }), aliceKey)
}

const publicHello = message('/public/hello')

describe('the limiter', () => {
  it('turns new messages away at the allow limit and running ones at the acquire limit', () => {
    const limiter = new MessageLimiter({ publicAllow: 2, publicAcquire: 3 })
    assert.ok(limiter.acquire(publicHello, peerA))
    assert.ok(limiter.allows(publicHello, peerA))
    assert.ok(limiter.acquire(publicHello, peerB))
    assert.equal(limiter.allows(publicHello, peerB), false)
    assert.ok(limiter.acquire(publicHello, peerB))
    assert.equal(limiter.acquire(publicHello, peerB), undefined)
  })

  it('gives a place back once, however often it is released', () => {
    const limiter = new MessageLimiter({ publicAllow: 1, publicAcquire: 2 })
    const first = limiter.acquire(publicHello, peerA)
    limiter.acquire(publicHello, peerA)
    first?.()
    first?.()
    assert.equal(limiter.active, 1)
  })

  it('counts broadcasts in all and per topic', () => {
    const limiter = new MessageLimiter({
      broadcastAllow: 3,
      broadcastAcquire: 3,
      topicDefault: 2,
      topics: { '/one': 1 }
    })
    assert.ok(limiter.acquire(message('/x', '/one'), peerA))
    assert.equal(limiter.allows(message('/x', '/one'), peerA), false)
    assert.ok(limiter.acquire(message('/x', '/two'), peerA))
    assert.ok(limiter.acquire(message('/x', '/two'), peerA))
    assert.equal(limiter.acquire(message('/x', '/three'), peerA), undefined)
  })

  it('bounds other unicast messages per peer, so that one peer cannot take the places of another', () => {
    const limiter = new MessageLimiter({ peerAllow: 1, peerAcquire: 1 })
    assert.ok(limiter.acquire(message('/dms/node/x'), peerA))
    assert.equal(limiter.allows(message('/dms/node/y'), peerA), false)
    assert.ok(limiter.allows(message('/dms/node/x'), peerB))
    assert.ok(limiter.allows(message('/publicity'), peerB))
  })

  it('keeps no counter of a peer that has nothing running', () => {
    const limiter = new MessageLimiter()
    limiter.acquire(message('/dms/x'), peerA)?.()
    assert.equal(limiter.active, 0)
  })
})
