/**
 * The memory of the libp2p host for peers and DHT records. The library's own store grows with every peer that ever
 * connected and every provider record that strangers announce; this one forgets what was not used for longest.
 */

import { NotFoundError } from '@libp2p/interface'
import type { Libp2pOptions } from 'libp2p'

type Datastore = NonNullable<Libp2pOptions['datastore']>
type Key = Parameters<Datastore['get']>[0]
type Pair =
  Parameters<ReturnType<Datastore['batch']>['put']> extends [infer K, infer V] ? { key: K; value: V } : never
type Query = Parameters<Datastore['query']>[0]
type KeyQuery = Parameters<Datastore['queryKeys']>[0]

interface Shape<T> {
  filters?: ((item: T) => boolean)[]
  orders?: ((a: T, b: T) => -1 | 0 | 1)[]
  offset?: number
  limit?: number
}

/** Entries under one prefix. A record of a peer has one or two KiB, a provider record less. */
const LIMITS: Readonly<Record<string, number>> = { peers: 4096, dht: 4096 }

/** Entries under any other prefix. */
const OTHER_LIMIT = 256

export class BoundedStore implements Datastore {
  readonly #limits: Readonly<Record<string, number>>
  /** By first part of the key, then by key; the entry used last comes last. */
  readonly #shelves = new Map<string, Map<string, Pair>>()

  constructor(limits: Readonly<Record<string, number>> = LIMITS) {
    this.#limits = limits
  }

  get size(): number {
    return [...this.#shelves.values()].reduce((sum, shelf) => sum + shelf.size, 0)
  }

  put(key: Key, value: Uint8Array): Key {
    const name = shelfName(key)
    const shelf = this.#shelves.get(name) ?? new Map<string, Pair>()
    this.#shelves.set(name, shelf)
    shelf.delete(key.toString())
    shelf.set(key.toString(), { key, value })
    const [oldest] = shelf.keys()
    if (shelf.size > (this.#limits[name] ?? OTHER_LIMIT) && oldest !== undefined) shelf.delete(oldest)
    return key
  }

  get(key: Key): Uint8Array {
    const shelf = this.#shelves.get(shelfName(key))
    const pair = shelf?.get(key.toString())
    if (shelf === undefined || pair === undefined) throw new NotFoundError(`no entry '${key}'`)
    shelf.delete(key.toString())
    shelf.set(key.toString(), pair)
    return pair.value
  }

  has(key: Key): boolean {
    return this.#shelves.get(shelfName(key))?.has(key.toString()) ?? false
  }

  delete(key: Key): void {
    this.#shelves.get(shelfName(key))?.delete(key.toString())
  }

  async *putMany(source: Iterable<Pair> | AsyncIterable<Pair>): AsyncGenerator<Key> {
    for await (const { key, value } of source) yield this.put(key, value)
  }

  async *getMany(source: Iterable<Key> | AsyncIterable<Key>): AsyncGenerator<Pair> {
    for await (const key of source) yield { key, value: this.get(key) }
  }

  async *deleteMany(source: Iterable<Key> | AsyncIterable<Key>): AsyncGenerator<Key> {
    for await (const key of source) {
      this.delete(key)
      yield key
    }
  }

  batch(): ReturnType<Datastore['batch']> {
    const steps: (() => void)[] = []
    return {
      put: (key, value) => void steps.push(() => this.put(key, value)),
      delete: key => void steps.push(() => this.delete(key)),
      commit: () => {
        for (const step of steps.splice(0)) step()
      }
    }
  }

  *query(query: Query): Generator<Pair> {
    yield* shaped(this.#pairs(query.prefix), query)
  }

  *queryKeys(query: KeyQuery): Generator<Key> {
    const keys = this.#pairs(query.prefix).map(({ key }) => key)
    yield* shaped(keys, query)
  }

  #pairs(prefix = ''): Pair[] {
    const all = [...this.#shelves.values()].flatMap(shelf => [...shelf.values()])
    return all.filter(({ key }) => key.toString().startsWith(prefix))
  }
}

function shelfName(key: Key): string {
  return key.toString().split('/', 2)[1] ?? ''
}

function shaped<T>(items: T[], { filters = [], orders = [], offset = 0, limit }: Shape<T>): T[] {
  const kept = items.filter(item => filters.every(filter => filter(item)))
  for (const order of orders) kept.sort(order)
  return kept.slice(offset, limit === undefined ? undefined : offset + limit)
}
