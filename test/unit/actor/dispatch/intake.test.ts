import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { QUEUE_CAPACITY, QUEUE_SHARE_PER_PEER } from '../../../../src/actor/constants.ts'
import { Intake } from '../../../../src/actor/dispatch/intake.ts'
import { signEnvelope } from '../../../../src/actor/index.ts'
import { generateKey, peerIdOf } from '../../../../src/lib/crypto/index.ts'
import { SeededRandom } from '../../../../src/utils/index.ts'
import { aliceKey, sample } from '../message/samples.ts'

const envelope = signEnvelope(sample(), aliceKey)
const random = new SeededRandom('peers')
const peers = Array.from({ length: 4 }, () => peerIdOf(generateKey(random).publicKey))
const [flooder, other] = peers
assert.ok(flooder && other)

describe('the intake queue', () => {
  it('leaves room for others when one peer floods, and takes from it again when it was emptied', async () => {
    const intake = new Intake()
    for (let index = 0; index < QUEUE_SHARE_PER_PEER; index++)
      assert.ok(intake.offer({ envelope, peer: flooder }))
    assert.equal(intake.offer({ envelope, peer: flooder }), false)
    assert.ok(intake.offer({ envelope, peer: other }))
    assert.equal((await intake.take({})).peer, flooder)
    assert.ok(intake.offer({ envelope, peer: flooder }))
  })

  it('takes no more than its capacity from all together, and never blocks', () => {
    const intake = new Intake()
    let taken = 0
    for (const peer of peers) {
      for (let index = 0; index < QUEUE_SHARE_PER_PEER; index++) if (intake.offer({ envelope, peer })) taken++
    }
    assert.equal(taken, QUEUE_CAPACITY)
  })

  it('ends a wait with its signal', async () => {
    await assert.rejects(new Intake().take({ signal: AbortSignal.abort(new Error('stopped')) }), /stopped/)
  })
})
