import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { readPayload } from '../../../../src/actor/dispatch/payload.ts'
import { utf8ToBytes } from '../../../../src/utils/index.ts'

const schema = z.object({ name: z.string().default('none'), size: z.number().optional() })

describe('the payload step', () => {
  it('gives the typed value', () => {
    assert.deepEqual(readPayload(schema, utf8ToBytes('{"name":"a","other":1}')), {
      ok: true,
      value: { name: 'a' }
    })
  })

  it('reads no payload and null as the request without members', () => {
    for (const text of ['', 'null', '{}']) {
      assert.deepEqual(readPayload(schema, utf8ToBytes(text)), { ok: true, value: { name: 'none' } }, text)
    }
    assert.deepEqual(readPayload(z.unknown(), utf8ToBytes('')), { ok: true, value: undefined })
  })

  it('says which member does not fit', () => {
    const result = readPayload(schema, utf8ToBytes('{"name":7,"size":"big"}'))
    assert.equal(result.ok, false)
    assert.equal(result.error.code, 'ACTOR_PAYLOAD_INVALID')
    assert.deepEqual(
      result.error.causes?.map(cause => cause.message.split(':')[0]),
      ['name', 'size']
    )
  })

  it('refuses text that is no JSON or no UTF-8', () => {
    for (const bytes of [utf8ToBytes('{'), Uint8Array.of(0xff)]) {
      const result = readPayload(schema, bytes)
      assert.equal(result.ok ? '' : result.error.code, 'ACTOR_PAYLOAD_INVALID')
    }
  })

  it('lists a bounded number of problems', () => {
    const result = readPayload(z.array(z.number()), utf8ToBytes(`[${'"x",'.repeat(500)}"x"]`))
    assert.equal(result.ok, false)
    assert.equal(result.error.causes?.length, 16)
  })
})
