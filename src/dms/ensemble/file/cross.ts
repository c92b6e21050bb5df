/** Checks that need more than one part of the file: names that must exist, be unique or belong together (deployment §1.7). */

import { dependencyLevels } from '../graph.ts'
import type { ReadAllocation } from './allocation.ts'
import { type Field, type FieldMap, quotedList } from './field.ts'
import type { ReadNode } from './node.ts'
import { suggest } from './suggest.ts'

/** The parts of a file, read one by one. */
export interface Parts {
  readonly root: FieldMap
  readonly allocations: ReadonlyMap<string, ReadAllocation>
  readonly nodes: ReadonlyMap<string, ReadNode>
  readonly scripts: Readonly<Record<string, unknown>>
  readonly keys: Readonly<Record<string, unknown>>
}

/** Reports all of them. Names of parts that could not be read count as existing. */
export function crossCheck(parts: Parts): void {
  const allocationNames = namesIn(parts.root.get('allocations'))
  const nodeNames = namesIn(parts.root.get('nodes'))
  checkDnsNames(parts)
  checkAllocationReferences(parts)
  const owners = checkNodes(parts, allocationNames)
  checkDependencies(parts, allocationNames, owners)
  checkStandbyNames(parts)
  checkSupervisor(parts.root.get('supervisor'), allocationNames)
  checkEdges(parts.root, nodeNames)
}

function namesIn(field: Field): ReadonlySet<string> {
  return new Set(field.node?.kind === 'map' ? field.node.entries.keys() : [])
}

function checkKnown(name: string, field: Field, known: ReadonlySet<string>, what: string): boolean {
  if (known.has(name)) return true
  // Looking for a near name among thousands, thousands of times, would take minutes.
  if (field.problems.full) return false
  const near = suggest(name, [...known])
  const listed = known.size > 0 && known.size <= 8 ? `: ${quotedList([...known])}` : ''
  field.fail(`the name of ${what}${listed}`, near === undefined ? undefined : `did you mean '${near}'?`)
  return false
}

function checkDnsNames({ allocations }: Parts): void {
  const users = new Map<string, string>()
  for (const [name, { dnsName, map }] of allocations) {
    const other = users.get(dnsName)
    users.set(dnsName, name)
    if (other === undefined) continue
    const field = map.get('dns_name').given ? map.get('dns_name') : map.field
    field.problems.error(field, {
      expected: 'a DNS name of its own for each allocation',
      message: `found '${dnsName}' for '${other}' and '${name}'`
    })
  }
}

function checkAllocationReferences({ allocations, scripts, keys }: Parts): void {
  const scriptNames = new Set(Object.keys(scripts))
  const keyNames = new Set(Object.keys(keys))
  for (const { map } of allocations.values()) {
    for (const { name, field } of map.get('provision').references()) {
      checkKnown(name, field, scriptNames, "a script in the top-level 'scripts'")
    }
    for (const { name, field } of map.get('keys').references()) {
      checkKnown(name, field, keyNames, "a key in the top-level 'keys'")
    }
  }
}

/** Checks what nodes refer to. Returns the node of each allocation. */
function checkNodes(
  { root, allocations, nodes }: Parts,
  known: ReadonlySet<string>
): ReadonlyMap<string, string> {
  const owners = new Map<string, string>()
  for (const [nodeName, { map, spec }] of nodes) {
    for (const { name, field } of map.get('allocations').references()) {
      if (!checkKnown(name, field, known, 'an allocation')) continue
      const owner = owners.get(name)
      if (owner === undefined) owners.set(name, nodeName)
      else field.fail(`an allocation that is on no other node; '${name}' is on '${owner}' already`)
    }
    for (const port of map.get('ports').items()) checkPort(port.member('allocation'), spec.allocations, known)
  }
  const map = root.get('allocations').map()
  for (const name of nodes.size > 0 ? allocations.keys() : []) {
    if (map === undefined || owners.has(name)) continue
    root.field.problems.warning(map.keyOf(name), { message: `'${name}' is on no node and will not run` })
  }
  return owners
}

function checkPort(field: Field | undefined, onNode: readonly string[], known: ReadonlySet<string>): void {
  const name = field?.reference
  if (field === undefined || name === undefined || !checkKnown(name, field, known, 'an allocation')) return
  if (!onNode.includes(name))
    field.warn({ message: `'${name}' is not on this node, so the port leads nowhere` })
}

function checkDependencies(
  parts: Parts,
  known: ReadonlySet<string>,
  owners: ReadonlyMap<string, string>
): void {
  const graph = new Map<string, string[]>()
  for (const [name, { map }] of parts.allocations) {
    const needs = map.get('depends_on').references()
    const sound = needs.filter(need => checkDependency(name, need, known, owners))
    graph.set(
      name,
      sound.map(need => need.name).filter(need => parts.allocations.has(need))
    )
  }
  const levels = dependencyLevels(graph)
  if (levels.ok) return
  const first = [...parts.allocations].find(([name]) => levels.error.message.includes(`'${name}'`))
  const field = first?.[1].map.get('depends_on')
  field?.problems.error(field, { expected: 'an order to start in', message: levels.error.message })
}

function checkDependency(
  name: string,
  need: Named,
  known: ReadonlySet<string>,
  owners: ReadonlyMap<string, string>
): boolean {
  if (need.name === name) {
    need.field.fail('another allocation than itself')
    return false
  }
  if (!checkKnown(need.name, need.field, known, 'an allocation')) return false
  const [own, other] = [owners.get(name), owners.get(need.name)]
  if (own !== undefined && other !== undefined && own !== other) {
    need.field.fail(`an allocation of the same node; '${name}' is on '${own}', '${need.name}' on '${other}'`)
  }
  return true
}

/** Standby nodes are called `<node>-standby-<n>` (deployment §2.1). */
function checkStandbyNames({ root, nodes }: Parts): void {
  const map = root.get('nodes').map()
  for (const name of map === undefined ? [] : nodes.keys()) {
    const base = /^(.+)-standby-\d+$/.exec(name)?.[1]
    if (map === undefined || base === undefined || (nodes.get(base)?.spec.redundancy ?? 0) === 0) continue
    const message = `'${name}' is what a standby of '${base}' is called`
    root.field.problems.error(map.keyOf(name), { expected: 'another name', message })
  }
}

function checkSupervisor(field: Field, known: ReadonlySet<string>): void {
  for (const item of field.member('allocations')?.references() ?? [])
    checkKnown(item.name, item.field, known, 'an allocation')
  for (const child of field.member('children')?.items() ?? []) checkSupervisor(child, known)
}

type Named = { readonly name: string; readonly field: Field }

function checkEdges(root: FieldMap, nodeNames: ReadonlySet<string>): void {
  const pairs = root.get('edge_constraints').given
    ? root
        .get('edge_constraints')
        .items()
        .map(item => item.member('edges')?.references() ?? [])
    : root.get('edges').items().map(plainPair)
  for (const pair of pairs) {
    const [first, second] = pair.filter(({ name, field }) => checkKnown(name, field, nodeNames, 'a node'))
    if (first !== undefined && second !== undefined && first.name === second.name)
      second.field.fail('two different nodes')
  }
}

function plainPair(item: Field): Named[] {
  return ['S', 'T'].flatMap(key => {
    const field = item.member(key)
    const name = field?.reference
    return field !== undefined && name !== undefined ? [{ name, field }] : []
  })
}
