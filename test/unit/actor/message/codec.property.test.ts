import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  decodeEnvelope,
  encodeEnvelope,
  signEnvelope,
  signingBytes,
  type UnsignedEnvelope,
  verifyEnvelope
} from '../../../../src/actor/index.ts'
import { EMPTY_HANDLE } from '../../../../src/lib/did/index.ts'
import { bytesEqual, bytesToUtf8 } from '../../../../src/utils/index.ts'
import { alice, aliceKey, bob, sample } from './samples.ts'

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const name = fc.string({ unit: 'binary', maxLength: 64 }).map(text => text.toWellFormed())
const bytes = fc.uint8Array({ maxLength: 300 })
const inbox = fc.stringMatching(/^[!-.0-~]{0,64}$/)

const unsigned: fc.Arbitrary<UnsignedEnvelope> = fc.record({
  to: fc.constantFrom(bob, EMPTY_HANDLE),
  behavior: name,
  from: inbox.map(text => ({ ...alice, address: { ...alice.address, inbox: text } })),
  nonce: uint64,
  options: fc.record({ expiresAtNs: uint64, replyTo: name, topic: name }, { noNullPrototype: true }),
  message: bytes,
  capabilities: bytes
})

describe('any envelope', () => {
  it('comes back from the wire as it was, and its signature holds', () => {
    fc.assert(
      fc.property(unsigned, draft => {
        const envelope = signEnvelope(draft, aliceKey)
        const read = decodeEnvelope(encodeEnvelope(envelope))
        assert.ok(read.ok)
        assert.deepEqual(read.value, envelope)
        assert.ok(verifyEnvelope(read.value, draft.options.expiresAtNs).ok)
      }),
      { numRuns: 200 }
    )
  })

  it('is text that any JSON reader understands the same way', () => {
    fc.assert(
      fc.property(unsigned, draft => {
        const wire = JSON.parse(bytesToUtf8(encodeEnvelope(signEnvelope(draft, aliceKey))))
        assert.equal(wire.be, draft.behavior)
        assert.equal(wire.opt.cont ?? '', draft.options.replyTo)
        assert.equal(wire.opt.topic ?? '', draft.options.topic)
        assert.equal(wire.from.addr.inbox ?? '', draft.from.address.inbox)
      }),
      { numRuns: 100 }
    )
  })
})

describe('any change of a message on its way', () => {
  it('makes it unreadable, breaks its signature, or changes nothing that was said', () => {
    const envelope = signEnvelope(sample(), aliceKey)
    const wire = encodeEnvelope(envelope)
    const said = signingBytes(envelope)
    const change = fc.tuple(fc.nat({ max: wire.length - 1 }), fc.nat({ max: 255 }))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), changes => {
        const mutated = wire.slice()
        for (const [at, byte] of changes) mutated[at] = byte
        const read = decodeEnvelope(mutated)
        if (!read.ok || !verifyEnvelope(read.value, envelope.options.expiresAtNs).ok) return
        assert.ok(bytesEqual(signingBytes(read.value), said))
      }),
      { numRuns: 500 }
    )
  })
})

describe('any bytes', () => {
  it('are read or refused, never thrown at', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          fc.json({ maxDepth: 6 }).map(text => new TextEncoder().encode(text))
        ),
        input => {
          const read = decodeEnvelope(input)
          assert.ok(read.ok || read.error.code === 'ACTOR_MESSAGE_MALFORMED')
        }
      ),
      { numRuns: 500 }
    )
  })
})
