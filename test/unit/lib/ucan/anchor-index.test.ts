/** Anchors are found by what they grant, oldest first, each once, and only as many as are asked for. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AnchorIndex } from '../../../../src/lib/ucan/anchor-index.ts'
import { revocationKey } from '../../../../src/lib/ucan/chain.ts'
import type { Token } from '../../../../src/lib/ucan/index.ts'
import { identity, token } from '../parties.ts'

const [alice, bob, carol] = [identity('alice'), identity('bob'), identity('carol')]

function grant(fields: Partial<Token> = {}): Token {
  return token(alice, { subject: bob.did, ...fields })
}

function indexOf(...tokens: Token[]): AnchorIndex {
  const index = new AnchorIndex()
  for (const item of tokens) assert.equal(index.add(item), true)
  return index
}

describe('an index of anchors', () => {
  test('finds what implies the name, for the audience or anyone, oldest first and each once', () => {
    const [wide, narrow, other, forCarol, both] = [
      grant({ capabilities: ['/'] }),
      grant({ capabilities: ['/a/b'] }),
      grant({ capabilities: ['/b'] }),
      grant({ audience: carol.did }),
      grant({ capabilities: ['/a', '/a/b', '/a'] })
    ]
    const index = indexOf(narrow, other, forCarol, wide, both)
    assert.deepEqual([...index.find(bob.did, carol.did, '/a/b')], [narrow, forCarol, wide, both])
    assert.deepEqual([...index.find(bob.did, undefined, '/a/b')], [narrow, wide, both])
    assert.deepEqual([...index.find(alice.did, undefined, '/a/b')], [])
    assert.deepEqual([...index.heldBy(bob.did, undefined)], [narrow, other, wide, both])
    assert.deepEqual([...index.heldBy(bob.did, carol.did)], [narrow, other, forCarol, wide, both])
    assert.deepEqual(index.some(bob.did, 2), [narrow, other])
    assert.deepEqual(index.some(alice.did, 2), [])
    assert.equal(
      index.removeWhere(() => true),
      5
    )
    assert.deepEqual([[...index.find(bob.did, carol.did, '/a/b')], index.values(), index.size], [[], [], 0])
  })

  test('keeps the very same token once', () => {
    const item = grant()
    const index = indexOf(item)
    assert.equal(index.add({ ...item }), false)
    assert.equal(index.size, 1)
  })

  test('removes by issuer and nonce, also where there is no nonce or no capability', () => {
    const [bare, plain] = [grant({ nonce: null, capabilities: null }), grant()]
    const index = indexOf(bare, plain)
    assert.equal(index.removeByNonce(token(carol, { subject: bob.did, nonce: null })), false)
    assert.equal(index.removeByNonce(bare), true)
    assert.deepEqual(index.values(), [plain])
    assert.equal(revocationKey(bare), `${alice.did}#${bob.did}#`)
  })
})
