import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  decodeEnvelope,
  encodeEnvelope,
  MAX_ENVELOPE_BYTES,
  signEnvelope,
  signingBytes
} from '../../../../src/actor/message/index.ts'
import { EMPTY_HANDLE } from '../../../../src/lib/did/index.ts'
import { bytesToUtf8, utf8ToBytes } from '../../../../src/utils/index.ts'
import { alice, aliceKey, bob, sample } from './samples.ts'

const wireHandle = (handle: typeof alice) =>
  `{"id":{"pub":"${handle.id}"},"did":{"uri":"${handle.did}"},"addr":{"host":"${handle.address.host}","inbox":"root"}}`

function refusalOf(text: string | Uint8Array): string {
  const result = decodeEnvelope(typeof text === 'string' ? utf8ToBytes(text) : text)
  assert.equal(result.ok, false, `was read: ${text}`)
  assert.equal(result.error.code, 'ACTOR_MESSAGE_MALFORMED')
  return result.error.message
}

describe('the envelope codec', () => {
  it('signs exactly the text Go signs: fixed order, exact integers, base64, no signature', () => {
    assert.equal(
      bytesToUtf8(signingBytes(sample())),
      `dms:msg:{"to":${wireHandle(bob)},"be":"/public/hello","from":${wireHandle(alice)},"nonce":1735689600123456789,` +
        `"opt":{"exp":1735689630000000001,"cont":"/dms/actor/replyto/7"},"msg":"eyJhIjoxfQ==","cap":"e30="}`
    )
  })

  it('omits what is empty but keeps the empty handle, the empty payload and the expiry', () => {
    const unsigned = sample({
      to: EMPTY_HANDLE,
      message: new Uint8Array(),
      capabilities: new Uint8Array(),
      options: { expiresAtNs: 0n, replyTo: '', topic: '/nunet/hello' }
    })
    assert.equal(
      bytesToUtf8(signingBytes(unsigned)),
      `dms:msg:{"to":{"id":{"pub":""},"did":{},"addr":{}},"be":"/public/hello","from":${wireHandle(alice)},` +
        `"nonce":1735689600123456789,"opt":{"exp":0,"topic":"/nunet/hello"},"msg":""}`
    )
  })

  it('escapes behaviour names as Go does', () => {
    const text = bytesToUtf8(signingBytes(sample({ behavior: '/a<b>&\u2028"\\é' })))
    assert.ok(text.includes('"be":"/a\\u003cb\\u003e\\u0026\\u2028\\"\\\\é"'), text)
  })

  it('reads what it writes', () => {
    const envelope = signEnvelope(sample(), aliceKey)
    const result = decodeEnvelope(encodeEnvelope(envelope))
    assert.ok(result.ok)
    assert.deepEqual(result.value, envelope)
  })

  it('reads any order, white space, unknown members, other case and null as Go does, and signs the same bytes', () => {
    const envelope = signEnvelope(sample({ capabilities: new Uint8Array() }), aliceKey)
    const wire = JSON.parse(
      bytesToUtf8(encodeEnvelope(envelope)),
      (_key, value, context?: { source?: string }) =>
        typeof value === 'number' ? `#${context?.source}#` : value
    )
    const { sig, opt, to, ...rest } = wire
    const reordered = { extra: [1, { deep: [] }], SIG: sig, cap: null, Opt: opt, ...rest, TO: to }
    const text = JSON.stringify(reordered, null, 2).replace(/"#(\d+)#"/g, '$1')
    const result = decodeEnvelope(utf8ToBytes(text))
    assert.ok(result.ok)
    assert.deepEqual(signingBytes(result.value), signingBytes(envelope))
  })

  it('refuses numbers that are no unsigned 64-bit integers', () => {
    const text = bytesToUtf8(encodeEnvelope(signEnvelope(sample(), aliceKey)))
    for (const bad of ['-1', '1.5', '1e3', '18446744073709551616', '"1"', 'true']) {
      assert.match(refusalOf(text.replace('1735689600123456789', bad)), /nonce/, bad)
      assert.match(refusalOf(text.replace('1735689630000000001', bad)), /exp/, bad)
    }
    assert.ok(decodeEnvelope(utf8ToBytes(text.replace('1735689600123456789', '18446744073709551615'))).ok)
  })

  it('refuses hostile text without throwing', () => {
    const text = bytesToUtf8(encodeEnvelope(signEnvelope(sample(), aliceKey)))
    const cases: Record<string, string | Uint8Array> = {
      empty: '',
      'not an object': '[]',
      'no UTF-8': Uint8Array.from([0x7b, 0xff, 0x7d]),
      'deep nesting': `{"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      'a million members': `{"x":[${'1,'.repeat(400_000)}1]}`,
      'too long': new Uint8Array(MAX_ENVELOPE_BYTES + 1).fill(0x20),
      'payload that is no base64': text.replace('eyJhIjoxfQ==', 'eyJhIjoxfQ'),
      'actor id that is no key': text.replace(alice.id, 'AAAA===='),
      'host that is no peer': text.replaceAll(alice.address.host, 'localhost'),
      'DID that is none': text.replaceAll(alice.did, 'did:nothing'),
      'inbox that names another protocol': text.replaceAll(
        '"inbox":"root"',
        '"inbox":"x/messages/0.0.1/../root"'
      ),
      'inbox with a line end': text.replaceAll('"inbox":"root"', '"inbox":"a\\nb"'),
      'behaviour without end': text.replace('/public/hello', `/${'a'.repeat(1024)}`),
      'handle that is a list': text.replace(wireHandle(bob), '[]')
    }
    for (const [name, bad] of Object.entries(cases)) {
      assert.ok(refusalOf(bad).startsWith('not a message: '), name)
    }
  })

  it('turns away a megabyte of commas unread', () => {
    assert.match(refusalOf(`{"x":[${'1,'.repeat(500_000)}1]}`), /more than 256 commas/)
  })
})
