import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Entry, Ledger } from '../../../../src/dms/revocation/ledger.ts'
import { SeededRandom } from '../../../../src/utils/index.ts'

function entry(key: string, changes: Partial<Entry> = {}): Entry {
  return {
    key,
    expiresAtNs: 5n,
    length: 10,
    charged: [],
    isProven: false,
    learntAtMs: 0,
    learntFrom: 'test',
    ...changes
  }
}

function filled(keys: readonly string[]): Ledger {
  const ledger = new Ledger()
  for (const key of keys) ledger.add(entry(key))
  return ledger
}

function keysBeyond(ledger: Ledger, have?: readonly string[], after = ''): string[] {
  return [...ledger.beyond(have, after)].map(({ entry: { key } }) => key)
}

const KEYS = Array.from({ length: 1000 }, (_, index) => `did:key:${index}`)

describe('two ledgers', () => {
  it('of the same content have the same digests, in whatever order it came', () => {
    const shuffled = [...KEYS].sort(() => new SeededRandom('order').below(3) - 1)
    const [one, two] = [filled(KEYS), filled(shuffled.reverse())]
    assert.deepEqual(one.digests(), two.digests())
    assert.equal(one.digest(), two.digest())
    assert.deepEqual(keysBeyond(one, two.digests()), [])
  })

  it('that differ in one entry name it among few others', () => {
    const [one, two] = [filled(KEYS), filled(KEYS.slice(1))]
    const found = keysBeyond(one, two.digests())
    assert.ok(found.includes('did:key:0') && found.length < 20, `${found.length}`)
    assert.notEqual(one.digest(), two.digest())
  })

  it('differ when one knows that a revocation holds longer', () => {
    const [one, two] = [filled(['a']), filled(['a'])]
    two.add(entry('a', { expiresAtNs: 6n }))
    assert.equal(two.size, 1)
    assert.deepEqual(keysBeyond(two, one.digests()), ['a'])
  })

  it('are alike again when the difference is taken away', () => {
    const [one, two] = [filled(KEYS), filled(KEYS)]
    two.add(entry('more'))
    two.delete('more')
    two.delete('never there')
    assert.equal(one.digest(), two.digest())
  })
})

describe('a walk through a ledger', () => {
  it('goes on where it ended, and meets each entry once', () => {
    const ledger = filled(KEYS)
    const met: string[] = []
    let after = ''
    for (let step = 0; step < 2000; step++) {
      const [next] = ledger.beyond(undefined, after)
      if (next === undefined) break
      met.push(next.entry.key)
      after = next.mark
    }
    assert.deepEqual([...met].sort(), [...KEYS].sort())
  })
})

describe('what is charged', () => {
  it('is counted for each member of a chain, and given back when the entry goes', () => {
    const ledger = new Ledger()
    const [a, b] = ['did:key:a', 'did:key:b'] as unknown as Entry['charged'] // branded ids come from parsers only
    assert.ok(a && b)
    ledger.add(entry('1', { charged: [a, b], isProven: true }))
    ledger.add(entry('2', { charged: [a], isProven: true }))
    ledger.add(entry('3'))
    assert.deepEqual([ledger.chargedTo(a), ledger.chargedTo(b), ledger.proven, ledger.size], [2, 1, 2, 3])
    ledger.add(entry('2', { charged: [a], isProven: true, expiresAtNs: 9n }))
    assert.deepEqual([ledger.chargedTo(a), ledger.proven], [2, 2])
    assert.deepEqual([ledger.length, ledger.provenLength], [30, 20])
    for (const key of ['1', '2', '3']) ledger.delete(key)
    assert.deepEqual([ledger.length, ledger.provenLength], [0, 0])
    assert.deepEqual([ledger.chargedTo(a), ledger.chargedTo(b), ledger.proven, ledger.size], [0, 0, 0, 0])
  })
})
