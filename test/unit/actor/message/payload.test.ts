import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodePayload, encodePayload, exactJson } from '../../../../src/actor/message/index.ts'
import { utf8ToBytes } from '../../../../src/utils/index.ts'

/** Through JSON, a JavaScript value and JSON again. */
function again(text: string): string {
  const decoded = decodePayload(utf8ToBytes(text), { exact: true })
  assert.ok(decoded.ok)
  return Buffer.from(encodePayload(decoded.value)).toString()
}

describe('a payload that carries tokens', () => {
  it('keeps each digit of its integers, whatever their size', () => {
    for (const digits of [
      '0',
      '-1',
      '9007199254740991',
      '9007199254740992',
      '9007199254740993',
      '1767225600000000001',
      '18446744073709551615',
      '-9223372036854775808',
      '1'.repeat(60)
    ])
      assert.equal(again(`{"exp":${digits},"list":[${digits}]}`), `{"exp":${digits},"list":[${digits}]}`)
  })

  it('is otherwise what JSON gives', () => {
    const text = '{"a":[1,2.5,"9007199254740993",true,null,{"b":{}}],"rawJSON":"1"}'
    assert.deepEqual(exactJson(text), JSON.parse(text))
  })

  it('rounds numbers that are no integers, as everywhere', () => {
    assert.equal(again('[1e30,12345678901234567890.5]'), '[1e+30,12345678901234567000]')
  })

  it('cannot smuggle text in: an object that looks like an exact number stays an object', () => {
    assert.equal(again('{"rawJSON":"1}"}'), '{"rawJSON":"1}"}')
  })

  it('that is not JSON is refused, as is one nested too deep for this machine', () => {
    for (const text of ['{', '1 2', `${'['.repeat(200_000)}${']'.repeat(200_000)}`]) {
      const decoded = decodePayload(utf8ToBytes(text), { exact: true })
      assert.ok(!decoded.ok)
      assert.equal(decoded.error.code, 'ACTOR_PAYLOAD_MALFORMED')
    }
  })

  it('without that wish is read as ever', () => {
    assert.deepEqual(decodePayload(utf8ToBytes('9007199254740993')), { ok: true, value: 9007199254740992 })
    assert.deepEqual(decodePayload(new Uint8Array(), { exact: true }), { ok: true, value: undefined })
  })
})
