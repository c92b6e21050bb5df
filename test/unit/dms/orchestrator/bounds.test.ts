import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { clip, clipRefusal, MAX_PEER_TEXT, readPeerRefusal } from '../../../../src/dms/orchestrator/bounds.ts'
import { refusal } from '../../../../src/utils/index.ts'

describe('a tree of reasons of a peer', () => {
  it('is kept when it is of an ordinary size', () => {
    const tree = refusal('BID_NONE', 'no', {
      causes: [
        refusal('BID_NODE', 'node a', { details: { node: 'a' }, causes: [refusal('RAM', 'too little')] })
      ]
    })
    assert.deepEqual(readPeerRefusal(JSON.parse(JSON.stringify(tree))), tree)
  })

  it('is cut when it is deep, without a recursion as deep', () => {
    let deep: unknown = { code: 'A', message: 'b' }
    for (let level = 0; level < 100_000; level++) deep = { code: 'A', message: 'b', causes: [deep] }
    assert.ok(JSON.stringify(readPeerRefusal(deep)).length < 1_000)
  })

  it('is cut when it is wide or wordy, also in its details', () => {
    const causes = Array.from({ length: 10_000 }, (_, index) => ({
      code: 'C'.repeat(1_000),
      message: 'm'.repeat(100_000),
      details: { [`k${'x'.repeat(1_000)}`]: 'v'.repeat(100_000), deep: { a: { b: 1 } }, index }
    }))
    const read = readPeerRefusal({ code: 'A', message: 'b', causes })
    assert.ok(JSON.stringify(read).length < 64_000, String(JSON.stringify(read).length))
    assert.equal(read?.causes?.[0]?.details?.['deep'], undefined)
  })

  it('that is no tree is none', () => {
    for (const value of [undefined, null, 1, 'x', [], {}, { code: 1, message: 'x' }, { code: 'X' }])
      assert.equal(readPeerRefusal(value), undefined)
  })

  it('of our own with a peer’s words in it is cut the same way', () => {
    const cut = clipRefusal(refusal('OURS', 'm'.repeat(10_000)))
    assert.equal(cut.message.length, MAX_PEER_TEXT)
  })
})

describe('a text of a peer', () => {
  it('is shown to be cut when it is', () => {
    assert.equal(clip('short'), 'short')
    assert.equal(clip('too long', 4), 'too…')
  })
})
