/**
 * The tolerant reader of ensembles made by other programs (deployment §0.2, §1.2): members are found without
 * regard to case, `null` and zero values count as absent, unknown members are ignored. Bounded, since it reads what
 * strangers send. It checks shape only; `checkEnsemble` checks sense.
 */

import { z } from 'zod'
import type { Resources } from '../../types/index.ts'
import { MAX_ALLOCATIONS_PER_NODE, MAX_LIST_LENGTH, MAX_NODES, MAX_TEXT_LENGTH } from './constants.ts'
import type {
  AllocationSpec,
  Ensemble,
  EnsembleV1,
  HealthCheckSpec,
  LocationConstraints,
  NodeSpec,
  SupervisorSpec
} from './types.ts'

/** Depth and size of members whose form belongs to others (`params`, keys, volumes, contracts). */
const MAX_FOREIGN_DEPTH = 16
const MAX_FOREIGN_VALUES = 10_000
/** Supervisors below supervisors. */
const MAX_SUPERVISOR_DEPTH = 8

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An object as Go decodes it: an exact name wins over one in another case, `null` is absent. */
function goObject<S extends z.ZodRawShape>(shape: S) {
  const names = new Map(Object.keys(shape).map(name => [name.toLowerCase(), name]))
  return z.preprocess(value => {
    if (value === null || value === undefined) return {}
    if (!isObject(value)) return value
    const members = new Map<string, unknown>()
    for (const [key, member] of Object.entries(value)) {
      const name = names.get(key.toLowerCase())
      if (name === undefined || member === null || (members.has(name) && key !== name)) continue
      members.set(name, member)
    }
    return Object.fromEntries(members)
  }, z.object(shape))
}

const text = z.string().max(MAX_TEXT_LENGTH)
const optionalText = text.optional().transform(value => value || undefined)
const amount = z.number().min(0).max(Number.MAX_SAFE_INTEGER)
const optionalAmount = amount.optional().transform(value => value || undefined)
const whole = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

/** A list that is `undefined` when empty or absent. */
function list<T extends z.ZodType>(item: T, max = MAX_LIST_LENGTH) {
  return z
    .array(item)
    .max(max)
    .optional()
    .transform(items => (items !== undefined && items.length > 0 ? items : undefined))
}

function record<T extends z.ZodType>(item: T, max: number) {
  return z
    .custom<object>(
      value => isObject(value) && Object.keys(value).length <= max,
      `expected a map of at most ${max}`
    )
    .pipe(z.record(z.string().max(256), item))
}

function optionalRecord<T extends z.ZodType>(item: T) {
  return record(item, MAX_LIST_LENGTH)
    .optional()
    .transform(value => (value !== undefined && Object.keys(value).length > 0 ? value : undefined))
}

/** JSON of a form we do not know, bounded in depth and size. */
const foreign = z.unknown().refine(value => {
  let left = MAX_FOREIGN_VALUES
  const fits = (part: unknown, depth: number): boolean => {
    left -= 1
    if (left < 0 || depth > MAX_FOREIGN_DEPTH) return false
    return (
      typeof part !== 'object' ||
      part === null ||
      Object.values(part).every(member => fits(member, depth + 1))
    )
  }
  return fits(value, 0)
}, 'too deep or too large')

/** An enumeration in which the empty text is the default. */
function choice<const T extends string>(values: readonly T[], fallback: NoInfer<T>) {
  return z.preprocess(value => (value === '' || value === undefined ? fallback : value), z.enum(values))
}

const gpu = goObject({
  index: whole.default(0),
  vendor: z.enum(['NVIDIA', 'AMD/ATI', 'Intel', 'Unknown', 'None']).catch('Unknown'),
  pci_address: text.default(''),
  model: text.default(''),
  vram: amount.default(0),
  uuid: text.default('')
})

const resources = goObject({
  cpu: goObject({
    cores: amount.default(0),
    clock_speed: optionalAmount,
    model: optionalText,
    vendor: optionalText,
    threads: optionalAmount,
    architecture: optionalText,
    cache_size: optionalAmount
  }),
  gpus: list(gpu, 64),
  ram: goObject({ size: amount.default(0), clock_speed: optionalAmount, type: optionalText }),
  disk: goObject({
    size: amount.default(0),
    model: optionalText,
    vendor: optionalText,
    type: optionalText,
    interface: optionalText,
    read_speed: optionalAmount,
    write_speed: optionalAmount
  })
}).transform((value): Resources => value)

const params = z
  .record(z.string().max(256), foreign)
  .default({})
  .refine(value => Object.keys(value).length <= 256, 'too many parameters')

/** The structure is embedded, so a v0.5 node always writes it, empty when there is no check. */
const healthCheck = goObject({
  type: text.default(''),
  exec: list(text, 256),
  endpoint: optionalText,
  response: goObject({ type: text.default('string'), value: text.default('') }),
  interval: optionalAmount
}).transform(({ type, response, ...rest }): HealthCheckSpec | undefined => {
  if (type !== 'command' && type !== 'http') return undefined
  return { type, ...rest, response: response.value === '' ? undefined : response }
})

const allocation = goObject({
  executor: text.default(''),
  type: choice(['service', 'task'], 'service'),
  resources,
  execution: goObject({ type: text.default(''), params }),
  dns_name: text.default(''),
  keys: list(foreign, 64),
  provision: list(text, 64),
  healthcheck: healthCheck,
  volume: z.preprocess(value => (isObject(value) ? [value] : value), list(foreign, 64)),
  failure_recovery: choice(['stay_down', 'one_for_one', 'one_for_all', 'rest_for_one'], 'stay_down'),
  depends_on: list(text, MAX_ALLOCATIONS_PER_NODE)
}).transform((value): AllocationSpec => ({ ...value, executor: value.executor || value.execution.type }))

const location = goObject({
  continent: optionalText,
  region: optionalText,
  country: optionalText,
  city: optionalText,
  asn: optionalAmount,
  isp: optionalText
}).transform(({ region, ...rest }) => ({ ...rest, continent: rest.continent ?? region }))

const locations = goObject({ accept: list(location, 64), reject: list(location, 64) }).transform(
  ({ accept, reject }): LocationConstraints | undefined => (accept || reject ? { accept, reject } : undefined)
)

const portNumber = z.number().int().min(0).max(65_535)

const node = goObject({
  allocations: z.array(text).max(MAX_ALLOCATIONS_PER_NODE).default([]),
  ports: list(
    goObject({ public: portNumber.default(0), private: portNumber.default(0), allocation: text.default('') }),
    256
  ),
  location: locations,
  peer: optionalText,
  redundancy: whole.max(64).default(0),
  failure_recovery: choice(['stay_down', 'restart', 'redeploy'], 'stay_down')
}).transform((value): NodeSpec => value)

const edge = goObject({
  S: text.default(''),
  T: text.default(''),
  rtt: amount.default(0),
  bw: amount.default(0)
})

function supervisorSchema(depth: number): z.ZodType<SupervisorSpec> {
  const children =
    depth === 0
      ? z.undefined({ error: 'too many levels of supervisors' })
      : list(
          z.lazy(() => supervisorSchema(depth - 1)),
          64
        )
  return goObject({ strategy: optionalText, allocations: list(text), children })
}

const v1 = goObject({
  allocations: record(allocation, MAX_LIST_LENGTH).default({}),
  nodes: record(node, MAX_NODES).default({}),
  edges: list(edge, 4 * MAX_NODES),
  supervisor: supervisorSchema(MAX_SUPERVISOR_DEPTH).optional(),
  keys: optionalRecord(z.string()),
  scripts: optionalRecord(
    z
      .string()
      .nullable()
      .transform(value => value ?? '')
  ),
  escalation_strategy: optionalText,
  subnet: goObject({ join: z.boolean().default(false) }).optional(),
  exclude_peers: list(text, 4096),
  metadata: optionalRecord(z.string()),
  contracts: optionalRecord(foreign)
}).transform((value): EnsembleV1 => {
  const named = Object.entries(value.allocations).map(([name, spec]) => [
    name,
    { ...spec, dns_name: spec.dns_name || name }
  ])
  return { ...value, allocations: Object.fromEntries(named) }
})

/** Reads `{"v1": …}` (or `V1`) as any revision writes it. */
export const ensembleSchema: z.ZodType<Ensemble> = z.preprocess(
  value => {
    const found = isObject(value)
      ? Object.entries(value).find(([key]) => key.toLowerCase() === 'v1')
      : undefined
    return isObject(found?.[1]) ? { v1: found[1] } : undefined
  },
  z.object({ v1 }, { error: "expected an ensemble: an object with 'v1'" })
)
