/** Lists the routing table of the DHT, which the library keeps in public members but leaves out of its declared type. */

import type { KadDHT } from '@libp2p/kad-dht'
import type { PeerId } from '../../types/index.ts'
import { peerIdOf } from './addresses.ts'

export function routingTablePeers(dht: KadDHT): PeerId[] {
  const table = member(dht, 'routingTable')
  const buckets = member(table, 'kb')
  if (!hasIterable(buckets)) throw new TypeError('kad-dht changed its members: routingTable.kb was expected')
  return [...buckets.toIterable()].map(({ peerId }) => peerIdOf(peerId))
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Reflect.get(value, name)
}

function hasIterable(
  value: unknown
): value is { toIterable(): Iterable<{ peerId: { toString(): string } }> } {
  return typeof member(value, 'toIterable') === 'function'
}
