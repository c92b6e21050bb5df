/** Reads one entry of `allocations` (deployment §1.4.1). References to other parts of the file are checked in `cross.ts`. */

import { isHostName } from '../names.ts'
import type { AllocationSpec, HealthCheckSpec } from '../types.ts'
import { type ExecutionContext, readDurationNs, readExecution, readExecutorName } from './execution.ts'
import { defined, type Field, type FieldMap, filled, plainValue } from './field.ts'
import { readResources } from './resources.ts'
import { applyTemplate } from './templates.ts'
import type { MapNode } from './tree.ts'

const RECOVERIES = ['stay_down', 'one_for_one', 'one_for_all', 'rest_for_one'] as const

/** An allocation and the fields later checks report at. */
export interface ReadAllocation {
  /** Absent when something it cannot do without is wrong; the other members can still be checked. */
  readonly spec: AllocationSpec | undefined
  readonly dnsName: string
  readonly map: FieldMap
}

export interface AllocationContext extends ExecutionContext {
  readonly templates: ReadonlyMap<string, MapNode>
}

/** The allocation, or `undefined` after reporting that it is no map. */
export async function readAllocation(
  name: string,
  field: Field,
  context: AllocationContext
): Promise<ReadAllocation | undefined> {
  const map = field.required('an allocation') ? field.map('an allocation') : undefined
  if (map === undefined) return undefined
  const executor = readExecutorName(map.get('executor'), context.allowMock)
  const type = readType(map.get('type'))
  const resources = readAllocationResources(map.get('resources'), context)
  const execution = await readExecution(map.get('execution'), context)
  if (executor !== undefined && execution !== undefined && executor !== execution.type) {
    map.get('executor').fail(`'${execution.type}', the type of its execution`)
  }
  const rest = readOptional(name, map)
  map.warnUnknown()
  const complete = executor && type && resources && execution
  const spec = complete ? defined({ executor, type, resources, execution, ...rest }) : undefined
  return { map, dnsName: rest.dns_name, spec }
}

function readType(field: Field): AllocationSpec['type'] | undefined {
  const hint = 'a service runs until it is shut down, a task ends by itself'
  return field.required("'service' or 'task'", hint) ? field.oneOf(['service', 'task'] as const) : undefined
}

function readAllocationResources(
  field: Field,
  context: AllocationContext
): AllocationSpec['resources'] | undefined {
  if (!field.required("resources with 'cpu', 'ram' and 'disk'")) return undefined
  const applied = applyTemplate(field, context.templates)
  return applied && readResources(applied)
}

function readOptional(
  name: string,
  map: FieldMap
): Omit<AllocationSpec, 'executor' | 'type' | 'resources' | 'execution'> {
  return {
    dns_name: readDnsName(map.get('dns_name')) ?? name,
    keys: filled(readKeys(map.get('keys'))),
    provision: map.get('provision').nameList('a list of script names'),
    healthcheck: readHealthCheck(map.get('healthcheck')),
    volume: filled(readVolumes(map.get('volume'))),
    failure_recovery: map.get('failure_recovery').oneOf(RECOVERIES) ?? 'stay_down',
    depends_on: map.get('depends_on').nameList('a list of allocation names')
  }
}

function readDnsName(field: Field): string | undefined {
  const expected = "a host name of letters, digits and '-'"
  const name = field.text(expected)
  if (name === undefined) return undefined
  if (!isHostName(name)) return field.fail(expected)
  if (name.toLowerCase().endsWith('.internal')) {
    field.warn({
      message: `'${name}' will be reached as '${name}.internal'`,
      hint: "leave '.internal' out; it is added"
    })
  }
  return name
}

/** L1 and later: maps of type, file and dest. v0.5: names of top-level `keys`, checked in `cross.ts`. */
function readKeys(field: Field): unknown[] | undefined {
  if (!field.given) return undefined
  return field.list('a list of keys').map(item => {
    if (item.node?.kind === 'scalar' && typeof item.node.value === 'string') return item.text('a key')
    const map = item.required('a key') ? item.map("a map with 'type', 'file' and 'dest'") : undefined
    return map === undefined ? undefined : readKey(map)
  })
}

function readKey(map: FieldMap): unknown {
  const type = map.get('type').required("'ssh' or 'gpg'")
    ? map.get('type').oneOf(['ssh', 'gpg'] as const)
    : undefined
  const content = `the key, for example '\${file:id_ed25519.pub}'`
  const file = map.get('file').required(content) ? map.get('file').text(content) : undefined
  const dest = map.get('dest')
  if (type === 'gpg') dest.required('a path in the workload')
  const key = defined({ type, file, dest: dest.text('a path in the workload') })
  map.warnUnknown()
  return key
}

function readHealthCheck(field: Field): HealthCheckSpec | undefined {
  const expected = "a map with 'type: command' and 'exec', or 'type: http' and 'endpoint'"
  const map = field.map(expected)
  if (map === undefined) return undefined
  if (map.size === 0) return field.fail(expected, 'leave the key out when there is no health check')
  const type = map.get('type').required("'command' or 'http'")
    ? map.get('type').oneOf(['command', 'http'] as const)
    : undefined
  const exec = map.get('exec')
  const endpoint = map.get('endpoint')
  const hint = 'for example ["wget", "-qO-", "http://localhost:8080/ready"]'
  if (type === 'command') exec.required('a list of arguments', hint)
  if (type === 'http') endpoint.required("a URL such as 'http://localhost:8080/ready'")
  const command = exec.scalars('a list of arguments', hint)
  if (type === 'command' && command?.length === 0) exec.fail('a list of arguments', hint)
  const check = {
    exec: command,
    endpoint: readEndpoint(endpoint),
    response: readResponse(map.get('response')),
    interval: readDurationNs(map.get('interval'))
  }
  map.warnUnknown()
  return type && defined({ type, ...check })
}

function readEndpoint(field: Field): string | undefined {
  const expected = "a URL such as 'http://localhost:8080/ready'"
  const text = field.text(expected)
  if (text === undefined) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? text : field.fail(expected)
}

function readResponse(field: Field): HealthCheckSpec['response'] {
  const map = field.map("a map with 'type' and 'value'")
  if (map === undefined) return undefined
  const value = map.get('value').required('the text to find in the output')
    ? map.get('value').scalar()
    : undefined
  const response = { type: map.get('type').text() ?? 'string', value: value ?? '' }
  map.warnUnknown()
  return response
}

/** L2 has a list of volumes, L1 one; a list travels. */
function readVolumes(field: Field): unknown[] | undefined {
  if (!field.given) return undefined
  const items = field.node?.kind === 'map' ? [field] : field.list('a list of volumes')
  return items.map(item => {
    const map = item.required('a volume') ? item.map('a volume') : undefined
    if (map === undefined) return undefined
    const type = map.get('type').required("'local' or 'glusterfs'")
      ? map.get('type').oneOf(['local', 'glusterfs'] as const)
      : undefined
    const path = map.get('path').given ? map.get('path') : map.get('src')
    if (type === 'local' && path.required('a path on the provider')) path.text('a path on the provider')
    if (type === 'glusterfs') map.get('name').required('the name of the volume')
    map.get('read_only').boolean()
    return item.node && plainValue(item.node)
  })
}
