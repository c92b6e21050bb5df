import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Key } from 'interface-datastore'
import { BoundedStore } from '../../../src/network/libp2p/bounded-store.ts'

const value = new Uint8Array([1])

async function listed<T>(source: AsyncIterable<T> | Iterable<T>): Promise<string[]> {
  const items: string[] = []
  for await (const item of source) items.push(String(item))
  return items
}

describe('the store of the libp2p host', () => {
  it('keeps, replaces and removes entries, and says when there is none', () => {
    const store = new BoundedStore()
    const key = new Key('/peers/a')
    assert.throws(() => store.get(key), { name: 'NotFoundError' })
    store.put(key, value)
    store.put(new Key('/peers/a'), new Uint8Array([2]))
    assert.deepEqual(store.get(new Key('/peers/a')), new Uint8Array([2]))
    assert.equal(store.size, 1)
    store.delete(new Key('/peers/a'))
    assert.equal(store.has(key), false)
    assert.equal(store.size, 0)
  })

  it('forgets what was used least recently, of the same kind only', () => {
    const store = new BoundedStore({ peers: 3, dht: 2 })
    store.put(new Key('/dht/provider/x'), value)
    for (const name of ['a', 'b', 'c']) store.put(new Key(`/peers/${name}`), value)
    store.get(new Key('/peers/a'))
    store.put(new Key('/peers/d'), value)
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map(name => store.has(new Key(`/peers/${name}`))),
      [true, false, true, true]
    )
    assert.ok(store.has(new Key('/dht/provider/x')))
  })

  it('stays bounded under any number of entries of any kind', () => {
    const store = new BoundedStore()
    for (let index = 0; index < 10_000; index++) {
      store.put(new Key(`/peers/${index}`), value)
      store.put(new Key(`/dht/provider/${index}`), value)
      store.put(new Key(`/other/${index}`), value)
    }
    assert.equal(store.size, 4096 + 4096 + 256)
  })

  it('answers queries by prefix, filter, order, offset and limit', async () => {
    const store = new BoundedStore()
    const pairs = ['c', 'a', 'b', 'd'].map(name => ({ key: new Key(`/peers/${name}`), value }))
    await listed(store.putMany(pairs))
    store.put(new Key('/dht/a'), value)
    const keys = store.queryKeys({
      prefix: '/peers',
      filters: [key => key.toString() !== '/peers/b'],
      orders: [(a, b) => (a.toString() < b.toString() ? -1 : 1)],
      offset: 1,
      limit: 1
    })
    assert.deepEqual(await listed(keys), ['/peers/c'])
    assert.equal([...store.query({ prefix: '/peers' })].length, 4)
    assert.equal([...store.query({})].length, 5)
  })

  it('does many things at once, and batches when committed', async () => {
    const store = new BoundedStore()
    const batch = store.batch()
    batch.put(new Key('/peers/a'), value)
    batch.put(new Key('/peers/b'), value)
    batch.delete(new Key('/peers/a'))
    assert.equal(store.size, 0)
    await batch.commit()
    assert.deepEqual(await listed(store.queryKeys({})), ['/peers/b'])
    for await (const pair of store.getMany([new Key('/peers/b')])) assert.deepEqual(pair.value, value)
    await listed(store.deleteMany([new Key('/peers/b')]))
    assert.equal(store.size, 0)
  })
})
