import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judgeBroadcast } from '../../../../src/actor/dispatch/broadcast.ts'
import { encodeEnvelope, signEnvelope } from '../../../../src/actor/index.ts'
import { MessageLimiter } from '../../../../src/actor/limiter.ts'
import { peerIdOf } from '../../../../src/lib/crypto/index.ts'
import { EMPTY_HANDLE } from '../../../../src/lib/did/index.ts'
import { utf8ToBytes } from '../../../../src/utils/index.ts'
import { aliceKey, bob, bobKey, sample } from '../message/samples.ts'

const NOW = 1_000n
const TOPIC = '/nunet/hello'
const peer = peerIdOf(bobKey.publicKey)
const unsigned = sample({ to: EMPTY_HANDLE, options: { expiresAtNs: NOW, replyTo: '/r', topic: TOPIC } })
const good = encodeEnvelope(signEnvelope(unsigned, aliceKey))

function judge(
  payload: Uint8Array,
  facts: { nowNs?: bigint; limiter?: MessageLimiter; topic?: string } = {}
) {
  const { nowNs = NOW, limiter = new MessageLimiter(), topic = TOPIC } = facts
  return judgeBroadcast(payload, peer, topic, { nowNs, limiter })
}

describe('the verdict on a broadcast', () => {
  it('accepts a signed broadcast of this topic in time', () => {
    assert.equal(judge(good), 'accept')
  })

  it('rejects what an honest peer would not pass on', () => {
    assert.equal(judge(utf8ToBytes('{')), 'reject')
    assert.equal(judge(encodeEnvelope(signEnvelope({ ...unsigned, to: bob }, aliceKey))), 'reject')
    assert.equal(judge(good, { topic: '/nunet/other' }), 'reject')
    assert.equal(judge(encodeEnvelope(signEnvelope(unsigned, bobKey))), 'reject')
  })

  it('ignores without blame what depends on clocks and on our own load', () => {
    assert.equal(judge(good, { nowNs: NOW + 1n }), 'ignore')
    assert.equal(judge(good, { limiter: new MessageLimiter({ topicDefault: 0 }) }), 'ignore')
    assert.equal(judge(good, { limiter: new MessageLimiter({ broadcastAllow: 0 }) }), 'ignore')
  })
})
