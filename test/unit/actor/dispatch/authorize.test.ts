import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { authorize } from '../../../../src/actor/dispatch/authorize.ts'
import { type Envelope, signEnvelope } from '../../../../src/actor/index.ts'
import { EMPTY_HANDLE } from '../../../../src/lib/did/index.ts'
import { utf8ToBytes } from '../../../../src/utils/index.ts'
import { FakeContext, type Policy } from '../helpers.ts'
import { alice, aliceKey, bob, sample } from '../message/samples.ts'

const blob = utf8ToBytes('{"invoke":[],"delegate":[],"chained":[]}')
const message = (changes: Partial<Envelope> = {}) =>
  signEnvelope({ ...sample(), capabilities: blob, ...changes }, aliceKey)
const need = { capabilities: ['/public/hello'], topic: undefined }

function decide(
  policy: Policy,
  envelope = message(),
  requirement: { capabilities: string[]; topic: string | undefined } = need
) {
  assert.ok(bob.did !== '' && bob.id !== '')
  const context = new FakeContext(bob.did, policy)
  const verdict = authorize(context.asContext(), envelope, bob.id, requirement)
  return { verdict, context, ok: verdict.result.ok, isKnown: verdict.isKnown }
}

describe('the capability step', () => {
  it('asks about the DIDs of the actor ids, the origin DID and the behaviour', () => {
    const questions: unknown[] = []
    decide({ allows: question => questions.push(question) > 0 })
    assert.deepEqual(questions, [
      { origin: alice.did, subject: alice.did, audience: bob.did, capabilities: ['/public/hello'] }
    ])
  })

  it('needs no tokens from the actor itself, whose signature was checked', () => {
    assert.ok(bob.id !== '' && bob.did !== '')
    const own = message({ from: bob, capabilities: new Uint8Array() })
    const { ok, verdict } = decide({}, own)
    assert.ok(ok)
    assert.equal(verdict.tokens, undefined)
  })

  it('refuses a message without a token list', () => {
    const { ok, isKnown, context } = decide(
      { allows: () => true },
      message({ capabilities: new Uint8Array() })
    )
    assert.deepEqual({ ok, isKnown, live: context.live }, { ok: false, isKnown: false, live: 0 })
  })

  it('keeps the tokens until they are released, also after a refusal', () => {
    const { ok, verdict, context } = decide({})
    assert.equal(ok, false)
    assert.equal(context.live, 1)
    verdict.tokens?.release()
    assert.equal(context.live, 0)
  })

  it('knows a caller whose token was admitted through an anchor', () => {
    assert.equal(decide({}).isKnown, false)
    assert.equal(decide({ knows: () => true }).isKnown, true)
  })

  it('knows a root anchor by its own key only: the DID in a handle is a mere claim', () => {
    assert.ok(alice.did !== '' && bob.did !== '')
    assert.equal(decide({ roots: [alice.did] }).isKnown, true)
    assert.equal(decide({ roots: [bob.did] }, message({ from: { ...alice, did: bob.did } })).isKnown, false)
    assert.equal(
      decide({}, message({ from: { ...alice, did: bob.did } })).isKnown,
      false,
      'claims to be the owner'
    )
  })

  it('takes a broadcast only on the topic of the behaviour', () => {
    const broadcast = message({
      to: EMPTY_HANDLE,
      options: { expiresAtNs: 1n, replyTo: '', topic: '/nunet/hello' }
    })
    const policy = { allowsBroadcast: () => true }
    assert.equal(decide(policy, broadcast, { ...need, topic: '/nunet/hello' }).ok, true)
    assert.equal(decide(policy, broadcast, { ...need, topic: '/nunet' }).ok, false)
    assert.equal(decide(policy, broadcast, need).ok, false)
    assert.equal(decide({ allows: () => true }, broadcast, { ...need, topic: '/nunet/hello' }).ok, false)
  })

  it('refuses a sender without id or DID', () => {
    assert.equal(decide({ allows: () => true }, message({ from: { ...alice, did: '' } })).ok, false)
  })
})
