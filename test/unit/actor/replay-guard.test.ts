import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { signEnvelope } from '../../../src/actor/index.ts'
import { ReplayGuard } from '../../../src/actor/replay-guard.ts'
import type { Envelope } from '../../../src/actor/types.ts'
import { alice, aliceKey, bob, bobKey, sample } from './message/samples.ts'

function message(nonce: bigint, expiresAtNs = 1000n, from = alice): Envelope {
  const options = { expiresAtNs, replyTo: '', topic: '' }
  return signEnvelope(sample({ nonce, from, options }), from === alice ? aliceKey : bobKey)
}

describe('the replay guard', () => {
  it('knows a message by its sender and nonce', () => {
    const guard = new ReplayGuard()
    guard.record(message(5n), 0n)
    assert.ok(guard.isRepeated(message(5n), 0n))
    assert.equal(guard.isRepeated(message(6n), 0n), false)
    assert.equal(guard.isRepeated(message(5n, 1000n, bob), 0n), false)
  })

  it('counts everything below the oldest it had to forget as seen, while that could still be valid', () => {
    const guard = new ReplayGuard({ noncesPerSender: 3 })
    for (const nonce of [10n, 11n, 12n, 13n]) guard.record(message(nonce), 0n)
    assert.ok(guard.isRepeated(message(10n), 0n), 'forgotten, but still refused')
    assert.ok(guard.isRepeated(message(3n), 0n))
    assert.ok(guard.isRepeated(message(13n), 0n))
    assert.equal(guard.isRepeated(message(14n), 0n), false)
    assert.equal(guard.isRepeated(message(3n, 9000n), 1001n), false, 'the floor ends with what it stands for')
  })

  it('forgets expired messages before it raises the floor', () => {
    const guard = new ReplayGuard({ noncesPerSender: 2 })
    guard.record(message(10n, 100n), 0n)
    guard.record(message(11n, 100n), 0n)
    guard.record(message(12n, 900n), 500n)
    assert.equal(guard.size, 1)
    assert.equal(guard.isRepeated(message(9n), 500n), false)
  })

  it('lets a sender with many messages crowd out only itself', () => {
    const guard = new ReplayGuard({ senders: 2, noncesPerSender: 4 })
    guard.record(message(1n, 1000n, bob), 0n)
    for (let nonce = 1n; nonce <= 100n; nonce++) guard.record(message(nonce), 0n)
    assert.ok(guard.isRepeated(message(1n, 1000n, bob), 0n))
    assert.equal(guard.size, 5)
  })

  it('is bounded in senders and in all', () => {
    const bySenders = new ReplayGuard({ senders: 1 })
    bySenders.record(message(1n), 0n)
    bySenders.record(message(1n, 1000n, bob), 0n)
    assert.equal(bySenders.size, 1)
    assert.ok(bySenders.isRepeated(message(1n, 1000n, bob), 0n))

    const inAll = new ReplayGuard({ total: 3 })
    for (const nonce of [1n, 2n, 3n]) inAll.record(message(nonce), 0n)
    inAll.record(message(4n, 1000n, bob), 0n)
    assert.equal(inAll.size, 1)
  })
})
