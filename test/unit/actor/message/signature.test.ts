import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Envelope, signEnvelope, verifyEnvelope } from '../../../../src/actor/index.ts'
import { EMPTY_HANDLE } from '../../../../src/lib/did/index.ts'
import { utf8ToBytes } from '../../../../src/utils/index.ts'
import { alice, aliceKey, bob, bobKey, sample } from './samples.ts'

const envelope = signEnvelope(sample(), aliceKey)
const { expiresAtNs } = envelope.options

function codeOf(changed: Envelope, nowNs = expiresAtNs): string | undefined {
  const result = verifyEnvelope(changed, nowNs)
  return result.ok ? undefined : result.error.code
}

describe('the signature of a message', () => {
  it('is good until the very nanosecond of the expiry', () => {
    assert.equal(codeOf(envelope), undefined)
    assert.equal(codeOf(envelope, expiresAtNs + 1n), 'ACTOR_MESSAGE_EXPIRED')
  })

  it('breaks when any field changes', () => {
    const mutations: Partial<Envelope>[] = [
      { to: alice },
      { to: EMPTY_HANDLE },
      { to: { ...bob, address: { ...bob.address, inbox: 'other' } } },
      { behavior: '/public/status' },
      { from: { ...alice, did: bob.did } },
      { from: { ...alice, address: { ...alice.address, inbox: 'user-1' } } },
      { nonce: envelope.nonce + 1n },
      { options: { ...envelope.options, expiresAtNs: expiresAtNs + 1n } },
      { options: { ...envelope.options, replyTo: '' } },
      { options: { ...envelope.options, topic: '/nunet' } },
      { message: utf8ToBytes('{"a":2}') },
      { message: new Uint8Array() },
      { capabilities: utf8ToBytes('{"tok":[]}') },
      { capabilities: new Uint8Array() },
      { signature: envelope.signature.toReversed() },
      { signature: envelope.signature.slice(1) },
      { signature: new Uint8Array() }
    ]
    for (const change of mutations) {
      assert.equal(codeOf({ ...envelope, ...change }), 'ACTOR_SIGNATURE_INVALID', Object.keys(change).join())
    }
  })

  it('counts only from the key of the sender id', () => {
    assert.equal(codeOf(signEnvelope(sample(), bobKey)), 'ACTOR_SIGNATURE_INVALID')
    assert.equal(codeOf({ ...envelope, from: EMPTY_HANDLE }), 'ACTOR_SIGNATURE_INVALID')
  })
})
