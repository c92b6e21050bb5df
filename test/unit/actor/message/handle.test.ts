import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  formatHandle,
  handleFromWire,
  handlesEqual,
  handleToWire,
  isEmptyHandle
} from '../../../../src/actor/index.ts'
import { EMPTY_HANDLE } from '../../../../src/lib/did/index.ts'
import { alice, bob } from './samples.ts'

describe('handles as JSON', () => {
  it('have the members of the wire form in its order', () => {
    assert.equal(
      JSON.stringify(handleToWire(alice)),
      `{"id":{"pub":"${alice.id}"},"did":{"uri":"${alice.did}"},"addr":{"host":"${alice.address.host}","inbox":"root"}}`
    )
    assert.equal(JSON.stringify(handleToWire(EMPTY_HANDLE)), '{"id":{"pub":""},"did":{},"addr":{}}')
  })

  it('are read back, also the empty one and one without its parts', () => {
    for (const handle of [alice, EMPTY_HANDLE]) {
      assert.deepEqual(handleFromWire(JSON.parse(JSON.stringify(handleToWire(handle)))), {
        ok: true,
        value: handle
      })
    }
    assert.deepEqual(handleFromWire({}), { ok: true, value: EMPTY_HANDLE })
  })

  it('are refused with the part that does not fit', () => {
    const wire = handleToWire(alice)
    const cases: [unknown, RegExp][] = [
      ['text', /handle/],
      [7, /object/],
      [{ ...wire, id: 'x' }, /id/],
      [{ ...wire, id: { pub: 'x' } }, /ACTOR|id|base32|key/i],
      [{ ...wire, did: { uri: 'x' } }, /did|DID/],
      [{ ...wire, addr: { host: 'x' } }, /peer/],
      [{ ...wire, addr: { inbox: 'a/b' } }, /inbox/],
      [{ a: { b: { c: { d: { e: {} } } } } }, /deep/]
    ]
    for (const [value, reason] of cases) {
      const result = handleFromWire(value)
      assert.equal(result.ok, false, JSON.stringify(value))
      assert.equal(result.error.code, 'ACTOR_HANDLE_MALFORMED')
      assert.match(result.error.message, reason)
    }
  })

  it('are equal when all four parts are', () => {
    assert.ok(handlesEqual(alice, { ...alice }))
    for (const other of [
      { ...alice, id: bob.id },
      { ...alice, did: bob.did },
      { ...alice, address: { ...alice.address, host: bob.address.host } },
      { ...alice, address: { ...alice.address, inbox: 'other' } }
    ]) {
      assert.equal(handlesEqual(alice, other), false)
    }
    assert.ok(isEmptyHandle(EMPTY_HANDLE))
    assert.equal(isEmptyHandle(alice), false)
  })

  it('are shown as Go shows them', () => {
    assert.equal(
      formatHandle({ ...alice, did: bob.did }),
      `${alice.did}[${bob.did}]@${alice.address.host}:root`
    )
  })
})
