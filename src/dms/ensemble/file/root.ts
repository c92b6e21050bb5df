/** Reads the top level of an ensemble file (deployment §1.3), calling the readers of its parts. */

import { bytesToBase64, utf8ToBytes } from '../../../utils/index.ts'
import { MAX_NODES } from '../constants.ts'
import { isAllocationName, isNodeName } from '../names.ts'
import type { EdgeSpec, EnsembleV1, SupervisorSpec } from '../types.ts'
import { type AllocationContext, type ReadAllocation, readAllocation } from './allocation.ts'
import { crossCheck } from './cross.ts'
import { defined, type Field, type FieldMap, filled, plainValue } from './field.ts'
import { type ReadNode, readNode } from './node.ts'
import { readTemplates } from './templates.ts'

/** Reads the whole. The result is meaningful only when no errors were reported. */
export async function readRoot(
  root: FieldMap,
  context: Omit<AllocationContext, 'templates'>
): Promise<EnsembleV1> {
  checkVersion(root)
  const templates = readTemplates(root)
  const allocations = await readAllocations(root.get('allocations'), { ...context, templates })
  const nodes = readNodes(root.get('nodes'))
  const rest = readRest(root)
  warnVolumes(root)
  root.warnUnknown()
  crossCheck({ root, allocations, nodes, scripts: rest.scripts ?? {}, keys: rest.keys ?? {} })
  return defined({
    allocations: Object.fromEntries(
      [...allocations].flatMap(([name, { spec }]) => (spec ? [[name, spec]] : []))
    ),
    nodes: Object.fromEntries([...nodes].map(([name, { spec }]) => [name, spec])),
    ...rest
  })
}

/** Absent in at least one published example; `ensembleV1` in an older one (deployment §1.1). */
function checkVersion(root: FieldMap): void {
  const field = root.get('version')
  const version = field.text("'V1'")
  if (version !== undefined && !/^(?:ensemble)?v1$/i.test(version))
    field.fail("'V1', the only version there is")
  if (root.get('v1').given) {
    root
      .get('v1')
      .fail(
        'an ensemble file',
        "this is the form ensembles travel in; take what is under 'v1', with 'execution' flat"
      )
  }
}

async function readAllocations(
  field: Field,
  context: AllocationContext
): Promise<Map<string, ReadAllocation>> {
  const allocations = new Map<string, ReadAllocation>()
  const map = field.required('a map with at least one allocation')
    ? field.map('a map of allocations')
    : undefined
  if (map?.size === 0) field.fail('at least one allocation')
  const spellings = new Map<string, string>()
  for (const { name, field: member } of map?.members() ?? []) {
    if (member.problems.full) break
    checkAllocationName(name, map?.keyOf(name), member, spellings)
    const allocation = await readAllocation(name, member, context)
    if (allocation !== undefined) allocations.set(name, allocation)
  }
  return allocations
}

function checkAllocationName(
  name: string,
  place: Field | ReturnType<FieldMap['keyOf']> | undefined,
  member: Field,
  spellings: Map<string, string>
): void {
  const at = place ?? member
  const other = spellings.get(name.toLowerCase())
  spellings.set(name.toLowerCase(), name)
  if (other !== undefined) {
    member.problems.error(at, {
      expected: 'names that differ in more than case',
      message: `found '${other}' and '${name}'`
    })
  }
  if (isAllocationName(name)) return
  const hint = name.includes('.') ? { hint: "a dot would be taken for the one in '<node>.<allocation>'" } : {}
  member.problems.error(at, {
    expected: "an allocation name of 1 to 63 letters, digits and '-'",
    message: `found '${name}'`,
    ...hint
  })
}

function readNodes(field: Field): Map<string, ReadNode> {
  const nodes = new Map<string, ReadNode>()
  const expected = 'a map with at least one node'
  const map = field.required(expected, 'without nodes nothing would run') ? field.map(expected) : undefined
  if (map === undefined) return nodes
  if (map.size === 0) field.fail('at least one node')
  if (map.size > MAX_NODES) field.fail(`at most ${MAX_NODES} nodes`)
  for (const { name, field: member } of map.members().slice(0, MAX_NODES)) {
    if (!isNodeName(name)) {
      const hint = name.includes('.')
        ? { hint: "a dot would be taken for the one in '<node>.<allocation>'" }
        : {}
      const finding = {
        expected: "a node name of 1 to 63 letters, digits, '-' and '_'",
        message: `found '${name}'`,
        ...hint
      }
      member.problems.error(map.keyOf(name), finding)
    }
    const node = readNode(member)
    if (node !== undefined) nodes.set(name, node)
  }
  return nodes
}

function readRest(root: FieldMap): Omit<EnsembleV1, 'allocations' | 'nodes'> {
  const scripts = readTexts(root.get('scripts'))
  return {
    edges: filled(readEdges(root)),
    supervisor: readSupervisor(root.get('supervisor'), 0),
    keys: readTexts(root.get('keys')),
    scripts:
      scripts &&
      Object.fromEntries(
        Object.entries(scripts).map(([name, text]) => [name, bytesToBase64(utf8ToBytes(text))])
      ),
    escalation_strategy: root.get('escalation_strategy').oneOf(['redeploy', 'teardown'] as const),
    subnet: readSubnet(root.get('subnet')),
    exclude_peers: root.get('exclude_peers').nameList('a list of peer ids'),
    metadata: readTexts(root.get('metadata')),
    contracts: readContracts(root.get('contracts'))
  }
}

function readTexts(field: Field): Record<string, string> | undefined {
  const members = field.map('a map of texts')?.members()
  return (
    members && Object.fromEntries(members.map(({ name, field: member }) => [name, member.scalar() ?? '']))
  )
}

function readSubnet(field: Field): EnsembleV1['subnet'] {
  // Present without content is refused, as the existing validator does (deployment §1.7).
  const map =
    field.node === undefined
      ? undefined
      : field.required("'join: true' or 'join: false'")
        ? field.map()
        : undefined
  if (map === undefined) return undefined
  const join = map.get('join').required("'true' or 'false'") ? map.get('join').boolean() : undefined
  map.warnUnknown()
  return join === undefined ? undefined : { join }
}

function readContracts(field: Field): Record<string, unknown> | undefined {
  const members = field.map('a map of contracts')?.members()
  if (members === undefined) return undefined
  const pairs = members.map(({ name, field: member }) => {
    const map = member.required('a contract') ? member.map("a contract with 'did' and 'host'") : undefined
    for (const key of ['did', 'host']) if (map?.get(key).required('a DID')) map.get(key).text('a DID')
    return [name, member.node && plainValue(member.node)]
  })
  return Object.fromEntries(pairs)
}

function readEdges(root: FieldMap): EdgeSpec[] | undefined {
  const pairs = root.get('edge_constraints')
  const plain = root.get('edges')
  if (!pairs.given) return plain.given ? plain.list('a list of edges').flatMap(readPlainEdge) : undefined
  if (plain.given) plain.warn({ message: "'edges' is ignored next to 'edge_constraints'" })
  return pairs.list('a list of edge constraints').flatMap(readPairEdge)
}

function readPairEdge(field: Field): EdgeSpec[] {
  const map = field.required('an edge constraint') ? field.map('an edge constraint') : undefined
  if (map === undefined) return []
  const expected = 'a list of two node names'
  const names = map.get('edges').required(expected) ? map.get('edges').names(expected) : undefined
  if (names !== undefined && names.length !== 2) map.get('edges').fail(expected)
  const limits = readLimits(map)
  map.warnUnknown()
  const [S, T] = names ?? []
  return S && T ? [{ S: S.name, T: T.name, ...limits }] : []
}

function readPlainEdge(field: Field): EdgeSpec[] {
  const map = field.required('an edge') ? field.map('an edge') : undefined
  if (map === undefined) return []
  const S = map.get('S').required('a node name') ? map.get('S').name('a node name') : undefined
  const T = map.get('T').required('a node name') ? map.get('T').name('a node name') : undefined
  const limits = readLimits(map)
  map.warnUnknown()
  return S && T ? [{ S, T, ...limits }] : []
}

function readLimits(map: FieldMap): Pick<EdgeSpec, 'rtt' | 'bw'> {
  const notNegative = (value: number): boolean => value >= 0
  return {
    rtt: map.get('rtt').integer('milliseconds, 0 for no limit', notNegative) ?? 0,
    bw: map.get('bw').integer('a bandwidth, 0 for no limit', notNegative) ?? 0
  }
}

function readSupervisor(field: Field, depth: number): SupervisorSpec | undefined {
  const map = field.map('a supervisor')
  if (map === undefined) return undefined
  if (depth > 8) return field.fail('at most 8 levels of supervisors')
  const children = map.get('children')
  const supervisor: SupervisorSpec = {
    strategy: map.get('strategy').oneOf(['OneForOne', 'AllForOne', 'RestForOne'] as const),
    allocations: map.get('allocations').nameList('a list of allocation names'),
    children: children.given
      ? children.list('a list of supervisors').map(child => readSupervisor(child, depth + 1) ?? {})
      : undefined
  }
  map.warnUnknown()
  return defined(supervisor)
}

/** A `volumes` block is transformed by the existing reader and then lost: the structure's member is `volume`. */
function warnVolumes(root: FieldMap): void {
  if (!root.get('volumes').given) return
  root.field.problems.warning(root.keyOf('volumes'), {
    message: "top-level 'volumes' never reach a provider",
    hint: "give each allocation its 'volume' list"
  })
}
