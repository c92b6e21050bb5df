import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MAX_EXPIRY_AHEAD_NS } from '../../../../src/actor/constants.ts'
import { checkBroadcast, checkUnicast } from '../../../../src/actor/dispatch/bound.ts'
import { signEnvelope, type UnsignedEnvelope } from '../../../../src/actor/index.ts'
import { EMPTY_HANDLE } from '../../../../src/lib/did/index.ts'
import type { PeerId, Result } from '../../../../src/types/index.ts'
import { alice, aliceKey, bob, sample } from '../message/samples.ts'

const NOW = 1_000_000n
const message = (changes: Partial<UnsignedEnvelope>, expiresAtNs = NOW, topic = '') =>
  signEnvelope(sample({ ...changes, options: { expiresAtNs, replyTo: '', topic } }), aliceKey)
const code = (result: Result<void>) => (result.ok ? undefined : result.error.code)

function peer(host: PeerId | ''): PeerId {
  assert.ok(host !== '')
  return host
}

describe('the bounds of a unicast message', () => {
  const fromAlice = peer(alice.address.host)
  const check = (envelope: ReturnType<typeof message>, from = fromAlice) =>
    code(checkUnicast(envelope, from, bob, NOW))

  it('let in a message to us from the host it names, up to the nanosecond of its expiry', () => {
    assert.equal(check(message({})), undefined)
    assert.equal(check(message({}, NOW - 1n)), 'ACTOR_MESSAGE_EXPIRED')
  })

  it('refuse a host other than the peer that brought the message', () => {
    assert.equal(check(message({}), peer(bob.address.host)), 'ACTOR_HOST_FORGED')
    assert.equal(
      check(message({ from: { ...alice, address: { host: '', inbox: 'root' } } })),
      'ACTOR_HOST_FORGED'
    )
  })

  it('refuse messages to others and broadcasts that come over a stream', () => {
    assert.equal(check(message({ to: alice })), 'ACTOR_NOT_ADDRESSED')
    assert.equal(check(message({ to: EMPTY_HANDLE })), 'ACTOR_NOT_ADDRESSED')
    assert.equal(check(message({}, NOW, '/nunet')), 'ACTOR_NOT_ADDRESSED')
  })

  it('refuse messages that live longer than a year', () => {
    assert.equal(check(message({}, NOW + MAX_EXPIRY_AHEAD_NS)), undefined)
    assert.equal(check(message({}, NOW + MAX_EXPIRY_AHEAD_NS + 1n)), 'ACTOR_EXPIRY_TOO_FAR')
  })
})

describe('the bounds of a broadcast', () => {
  it('want the empty destination, a topic and time left', () => {
    const check = (envelope: ReturnType<typeof message>) => code(checkBroadcast(envelope, NOW))
    assert.equal(check(message({ to: EMPTY_HANDLE }, NOW, '/nunet')), undefined)
    assert.equal(check(message({ to: EMPTY_HANDLE }, NOW, '')), 'ACTOR_NOT_ADDRESSED')
    assert.equal(check(message({}, NOW, '/nunet')), 'ACTOR_NOT_ADDRESSED')
    assert.equal(check(message({ to: EMPTY_HANDLE }, NOW - 1n, '/nunet')), 'ACTOR_MESSAGE_EXPIRED')
  })
})
