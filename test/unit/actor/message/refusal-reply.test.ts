import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readRefusalReply, refusalReply } from '../../../../src/actor/index.ts'
import type { Refusal } from '../../../../src/types/index.ts'
import { refusal } from '../../../../src/utils/index.ts'

const tree = refusal('A', 'no', { details: { n: 1 }, causes: [refusal('B', 'because')] })

function depthOf(node: Refusal | undefined): number {
  return node === undefined ? 0 : 1 + Math.max(0, ...(node.causes ?? []).map(depthOf))
}

describe('an explained refusal on the wire', () => {
  it('has exactly the text and the tree, and is read back', () => {
    const reply = refusalReply(tree)
    assert.deepEqual(Object.keys(reply), ['Error', 'Refusal'])
    assert.equal(reply.Error, 'no (A)\n└─ because (B)')
    assert.deepEqual(readRefusalReply(JSON.parse(JSON.stringify(reply))), tree)
  })

  it('is told from ordinary replies that happen to have an error', () => {
    for (const payload of [
      undefined,
      null,
      'Error',
      [],
      {},
      { Error: 'x' },
      { Error: '', Refusal: null },
      { Error: 'x', Refusal: { code: 1, message: 'm' } },
      { Error: 'x', Refusal: tree, OK: false },
      { Refusal: tree, error: 'x' }
    ]) {
      assert.equal(readRefusalReply(payload), undefined, JSON.stringify(payload))
    }
  })

  it('is cut to a bounded tree', () => {
    let deep = refusal('LEAF', 'leaf')
    for (let level = 0; level < 200; level++) deep = refusal('NODE', 'node', { causes: [deep] })
    assert.ok(depthOf(readRefusalReply({ Error: '', Refusal: deep })) <= 33)
    const wide = refusal('TOP', 'top', { causes: Array.from({ length: 5000 }, () => refusal('C', 'c')) })
    assert.ok((readRefusalReply({ Error: '', Refusal: wide })?.causes?.length ?? 0) <= 512)
  })

  it('cannot steer a terminal', () => {
    const read = readRefusalReply({
      Error: '',
      Refusal: { code: 'X\n', message: 'a\u001b[2Jb\u009bc\u202ed' }
    })
    assert.deepEqual(read, { code: 'X ', message: 'a [2Jb c d' })
  })
})
