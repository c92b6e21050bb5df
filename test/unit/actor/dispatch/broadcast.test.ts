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

  it('ignores without blame what existing nodes may take and pass on, though it is refused here', () => {
    const text = Buffer.from(good).toString()
    const forged = Buffer.from(encodeEnvelope(signEnvelope(unsigned, bobKey))).toString()
    const [, signature] = /"sig":"([^"]*)"/.exec(text) ?? []
    const shown = {
      'members nobody knows': `{${'"x":0,'.repeat(300)}${text.slice(1)}`,
      'bytes that are no text, in a member nobody knows': Buffer.from(
        `{"x":"\xff",${text.slice(1)}`,
        'latin1'
      ),
      // Go folds the long s into s, so it reads the good signature.
      'a member under a name that folds': forged.replace(/\}$/, `,"\u017fig":"${signature}"}`)
    }
    for (const [name, message] of Object.entries(shown))
      assert.equal(judge(Buffer.from(message)), 'ignore', name)
    assert.equal(judge(Buffer.from(forged)), 'reject')
  })
})
