import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Bid, findAssignment } from '../../../../src/dms/orchestrator/index.ts'
import { generateKey, peerIdOf } from '../../../../src/lib/crypto/index.ts'
import { rootHandleOfPeer } from '../../../../src/lib/did/index.ts'
import { renderRefusal, SeededRandom } from '../../../../src/utils/index.ts'

const random = new SeededRandom('search')
const PEERS = Array.from({ length: 8 }, () => peerIdOf(generateKey(random).publicKey))

function bid(node: string, peer: number): Bid {
  const id = PEERS[peer]
  assert.ok(id)
  return { node, peer: id, handle: rootHandleOfPeer(id), location: {}, addresses: [] }
}

/** Whether some choice gives every node a peer of its own, found by trying all of them. */
function isPossible(
  choices: readonly (readonly number[])[],
  taken: ReadonlySet<number> = new Set()
): boolean {
  const [first, ...rest] = choices
  if (first === undefined) return true
  return first.some(peer => !taken.has(peer) && isPossible(rest, new Set([...taken, peer])))
}

describe('candidate search', () => {
  it('moves an earlier node to another peer when that lets a later one be placed', () => {
    const found = findAssignment(
      new Map([
        ['a', [bid('a', 0), bid('a', 1)]],
        ['b', [bid('b', 0)]]
      ]),
      random
    )
    assert.ok(found.ok)
    assert.equal(found.value.get('b')?.peer, PEERS[0])
    assert.equal(found.value.get('a')?.peer, PEERS[1])
  })

  it('names the nodes nobody bid for, and those whose peers are needed elsewhere', () => {
    const found = findAssignment(
      new Map([
        ['a', [bid('a', 0)]],
        ['b', [bid('b', 0)]],
        ['c', []]
      ]),
      random
    )
    assert.ok(!found.ok)
    assert.match(renderRefusal(found.error), /nobody bid for node 'c'/)
    assert.match(renderRefusal(found.error), /all peers that bid for node '[ab]' are needed by other nodes/)
  })

  it('finds an assignment exactly when there is one, and gives no peer twice', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uniqueArray(fc.nat(7), { maxLength: 5 }), { minLength: 1, maxLength: 7 }),
        fc.nat(),
        (choices, seed) => {
          const bids = new Map(
            choices.map((peers, index) => [`node${index}`, peers.map(peer => bid(`node${index}`, peer))])
          )
          const found = findAssignment(bids, new SeededRandom(seed))
          assert.equal(found.ok, isPossible(choices))
          if (!found.ok) return
          const peers = [...found.value.values()].map(chosen => chosen.peer)
          assert.equal(new Set(peers).size, choices.length)
          for (const [node, chosen] of found.value) assert.ok(bids.get(node)?.includes(chosen))
        }
      ),
      { numRuns: 300 }
    )
  })

  it('spreads equal requests over the peers', () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 50; seed++) {
      const found = findAssignment(
        new Map([['a', [0, 1, 2, 3].map(peer => bid('a', peer))]]),
        new SeededRandom(seed)
      )
      if (found.ok) seen.add(found.value.get('a')?.peer ?? '')
    }
    assert.equal(seen.size, 4)
  })
})
