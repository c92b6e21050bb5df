/** Reads one entry of `nodes` (deployment §1.4.2, §1.4.5, §1.4.8). */

import { MAX_ALLOCATIONS_PER_NODE, MAX_PORT, MIN_PUBLIC_PORT } from '../constants.ts'
import type { LocationConstraints, LocationSpec, NodeSpec, PortSpec } from '../types.ts'
import { defined, type Field, type FieldMap, filled } from './field.ts'

/** A node and the fields later checks report at. */
export interface ReadNode {
  readonly spec: NodeSpec
  readonly map: FieldMap
}

/** A libp2p peer id in text form: base58 of a key (`12D3KooW…`) or of a hash (`Qm…`). */
const PEER_ID =
  /^(?:12D3KooW[1-9A-HJ-NP-Za-km-z]{44}|16Uiu2[1-9A-HJ-NP-Za-km-z]{40,50}|Qm[1-9A-HJ-NP-Za-km-z]{44})$/
const PEER = "a peer id such as '12D3KooW…'"

/** The node, or `undefined` after reporting why not. */
export function readNode(field: Field): ReadNode | undefined {
  const map = field.required('a node') ? field.map('a node') : undefined
  if (map === undefined) return undefined
  const allocations = readAllocationList(map.get('allocations'))
  const spec: NodeSpec = {
    allocations,
    ports: filled(readPorts(map.get('ports'), allocations)),
    location: readLocation(map.get('location')),
    peer: readPeer(map.get('peer')),
    redundancy:
      map
        .get('redundancy')
        .integer('a number of standby nodes, 0 or more', value => value >= 0 && value <= 64) ?? 0,
    failure_recovery:
      map.get('failure_recovery').oneOf(['stay_down', 'restart', 'redeploy'] as const) ?? 'stay_down'
  }
  map.warnUnknown()
  return { map, spec: defined(spec) }
}

function readAllocationList(field: Field): string[] {
  if (!field.required('a list of allocation names', 'a node without allocations would run nothing')) return []
  const names = field.names('a list of allocation names') ?? []
  if (field.node?.kind === 'list' && field.node.items.length === 0) field.fail('at least one allocation')
  if (names.length > MAX_ALLOCATIONS_PER_NODE)
    field.fail(`at most ${MAX_ALLOCATIONS_PER_NODE} allocations on one node`)
  return names.map(item => item.name)
}

function readPorts(field: Field, allocations: readonly string[]): PortSpec[] | undefined {
  if (!field.given) return undefined
  const taken = new Set<number>()
  return field.list('a list of ports').flatMap(item => {
    const map = item.required('a port')
      ? item.map("a map such as '{ public: 16480, private: 80, allocation: web }'")
      : undefined
    const port = map && readPort(map, allocations)
    if (port === undefined) return []
    if (port.public !== 0 && taken.has(port.public))
      map?.get('public').fail('a public port used once on this node')
    taken.add(port.public)
    return [port]
  })
}

function readPort(map: FieldMap, allocations: readonly string[]): PortSpec | undefined {
  const publicPort = `a port from ${MIN_PUBLIC_PORT} to ${MAX_PORT}, or 0 to let the provider choose`
  const privatePort = `a port of the workload, 1 to ${MAX_PORT}`
  const outer = map.get('public').required(publicPort)
    ? map
        .get('public')
        .integer(publicPort, port => port === 0 || (port >= MIN_PUBLIC_PORT && port <= MAX_PORT))
    : undefined
  const inner = map.get('private').required(privatePort)
    ? map.get('private').integer(privatePort, port => port >= 1 && port <= MAX_PORT)
    : undefined
  const allocation = readPortAllocation(map.get('allocation'), allocations)
  map.warnUnknown()
  if (outer === undefined || inner === undefined || allocation === undefined) return undefined
  return { public: outer, private: inner, allocation }
}

/** May be left out where the node has only one allocation. */
function readPortAllocation(field: Field, allocations: readonly string[]): string | undefined {
  if (!field.given && allocations.length === 1) return allocations[0]
  return field.required('the name of the allocation behind the port')
    ? field.name('an allocation name')
    : undefined
}

function readPeer(field: Field): string | undefined {
  const peer = field.text(PEER)
  if (peer === undefined || PEER_ID.test(peer)) return peer
  return field.fail(
    PEER,
    peer.startsWith('did:') ? 'this is a DID; the peer id is what the node shows as its host' : undefined
  )
}

function readLocation(field: Field): LocationConstraints | undefined {
  const map = field.map("a map with 'accept' or 'reject'")
  if (map === undefined) return undefined
  const location = {
    accept: filled(readLocations(map.get('accept'))),
    reject: filled(readLocations(map.get('reject')))
  }
  if (location.accept && location.reject) {
    field.warn({ message: "'reject' has no effect next to 'accept': what is accepted must match" })
  }
  map.warnUnknown()
  return location.accept || location.reject ? defined(location) : undefined
}

function readLocations(field: Field): LocationSpec[] | undefined {
  if (!field.given) return undefined
  return field.list('a list of locations').flatMap(item => {
    const map = item.required('a location') ? item.map('a location') : undefined
    return map === undefined ? [] : [readOneLocation(map)]
  })
}

function readOneLocation(map: FieldMap): LocationSpec {
  const location: LocationSpec = {
    continent: readContinent(map),
    country: map.get('country').text("a country code such as 'DE'"),
    city: map.get('city').text(),
    asn: map.get('asn').integer('an AS number', value => value >= 0 && value <= 0xffff_ffff),
    isp: map.get('isp').text()
  }
  if (location.city !== undefined) map.get('country').required("a country code such as 'DE' next to 'city'")
  map.warnUnknown()
  return defined(location)
}

/** v0.5 calls it `region` (deployment §1.4.8). */
function readContinent(map: FieldMap): string | undefined {
  const expected = "a continent such as 'Europe' or 'North America'"
  const region = map.get('region')
  if (!map.get('continent').given && region.given) {
    region.warn({ message: "'region' is the older name of 'continent', and is read as that" })
    return region.text(expected)
  }
  return map.get('continent').required(expected) ? map.get('continent').text(expected) : undefined
}
