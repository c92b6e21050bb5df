/**
 * Payloads between orchestrator and provider (deployment §2 and §3): schemas for reading, types for writing.
 * Readers are tolerant as the existing system is: `null` stands for an absent list or map, unknown members are
 * ignored, both spellings of bid requests are taken. Writers use the newest form a v0.5 node can read.
 */

import { z } from 'zod'

/** Behaviours of the provider node and its allocations, and of orchestrators. */
export const BEHAVIORS = {
  bidRequest: '/dms/deployment/request',
  bid: '/dms/deployment/bid',
  edgeConstraint: '/dms/deployment/constraint/edge',
  commit: '/dms/deployment/commit',
  allocate: '/dms/deployment/allocate',
  revert: '/dms/deployment/revert',
  allocationStart: '/dms/allocation/start',
  allocationRestart: '/dms/allocation/restart',
  allocationStats: '/dms/allocation/stats',
  dnsAddRecords: '/dms/allocation/subnet/dns/add-records',
  taskTermination: '/dms/orchestrator/task-termination',
  /** Extension: start progress and status changes as they happen. Older orchestrators ignore it. */
  allocationEvent: '/dms/orchestrator/allocation-event',
  healthCheckRegister: '/dms/actor/healthcheck/register',
  healthCheck: '/dms/actor/healthcheck'
} as const

/** Topic of broadcast bid requests. */
export const BID_TOPIC = '/nunet/deployment'

/** Behaviours a provider adds for one ensemble, under a capability granted to its orchestrator. */
export function ensembleBehaviors(ensembleId: string): {
  namespace: string
  logs: string
  shutdown: string
  /** Extension: status of one allocation, for supervision and for recovery after a restart. */
  status: string
} {
  const namespace = `/dms/ensemble/${ensembleId}`
  return {
    namespace,
    logs: `${namespace}/allocation/logs`,
    shutdown: `${namespace}/allocation/shutdown`,
    status: `${namespace}/allocation/status`
  }
}

/** Bounds on what a stranger may send. */
export const MAX_NODES = 1024
/** Allocations one node of an ensemble may have. */
export const MAX_ALLOCATIONS_PER_NODE = 64
const MAX_TEXT = 512

const text = z.string().max(MAX_TEXT)
const list = <T extends z.ZodType>(item: T, max: number) =>
  z.preprocess(value => value ?? [], z.array(item).max(max))
const size = z.number().min(0).max(Number.MAX_SAFE_INTEGER)
const optionalText = text.nullish().transform(value => value ?? undefined)
const optionalNumber = size.nullish().transform(value => value ?? undefined)

const gpu = z.object({
  index: z.number().int().min(0).default(0),
  vendor: z.enum(['NVIDIA', 'AMD/ATI', 'Intel', 'Unknown', 'None']).catch('Unknown').default('Unknown'),
  pci_address: text.default(''),
  model: text.default(''),
  vram: size.default(0),
  uuid: text.default('')
})

/** Resources as any revision writes them. Database members are dropped. */
export const resourcesSchema = z.object({
  cpu: z
    .object({
      cores: size.default(0),
      clock_speed: optionalNumber,
      model: optionalText,
      vendor: optionalText,
      threads: optionalNumber,
      architecture: optionalText,
      cache_size: optionalNumber
    })
    .default({
      cores: 0,
      clock_speed: undefined,
      model: undefined,
      vendor: undefined,
      threads: undefined,
      architecture: undefined,
      cache_size: undefined
    }),
  gpus: list(gpu, 64),
  ram: z
    .object({ size: size.default(0), clock_speed: optionalNumber, type: optionalText })
    .default({ size: 0, clock_speed: undefined, type: undefined }),
  disk: z
    .object({
      size: size.default(0),
      model: optionalText,
      vendor: optionalText,
      type: optionalText,
      interface: optionalText,
      read_speed: optionalNumber,
      write_speed: optionalNumber
    })
    .default({
      size: 0,
      model: undefined,
      vendor: undefined,
      type: undefined,
      interface: undefined,
      read_speed: undefined,
      write_speed: undefined
    })
})

const location = z.object({
  continent: optionalText,
  region: optionalText,
  country: optionalText,
  city: optionalText,
  asn: optionalNumber,
  isp: optionalText
})
const locations = z
  .object({ accept: list(location, 64), reject: list(location, 64) })
  .nullish()
  .transform(value => value ?? { accept: [], reject: [] })

/** Renames the members of the v0.5 spelling (`NodeID`, `PublicPorts` …) to the later one. */
function lowerBidEntry(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const entry = new Map(Object.entries(value))
  const pick = (...names: string[]): unknown =>
    names.map(name => entry.get(name)).find(found => found !== undefined && found !== null)
  return {
    // The v0.5 release knows neither `node_id` nor continents; its bids are answered in its own form.
    era: entry.has('node_id') ? 'later' : 'v0.5',
    node_id: pick('node_id', 'NodeID'),
    executors: pick('executors', 'Executors'),
    resources: pick('resources', 'Resources'),
    location: pick('location', 'Location'),
    public_ports: pick('public_ports', 'PublicPorts'),
    general_requirements: pick('general_requirements', 'GeneralRequirements')
  }
}

const lowerKeys = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key.toLowerCase(), member]))
    : value

const bidEntrySchema = z.preprocess(
  lowerBidEntry,
  z.object({
    era: z.enum(['v0.5', 'later']),
    node_id: text.min(1),
    executors: list(text, 16),
    resources: resourcesSchema,
    location: locations,
    public_ports: z.preprocess(
      value => lowerKeys(value ?? {}),
      z.object({
        static: list(z.number().int().min(0).max(65_535), 256),
        dynamic: z.number().int().min(0).max(256).default(0)
      })
    ),
    general_requirements: z.preprocess(
      value => value ?? {},
      z
        .object({ privileged_docker: z.boolean().optional(), PrivilegedDocker: z.boolean().optional() })
        .transform(value => ({
          privilegedDocker: value.privileged_docker ?? value.PrivilegedDocker ?? false
        }))
    )
  })
)

/** One node's wish in a bid request, after reading. */
export type BidEntry = z.infer<typeof bidEntrySchema>

/** Bid request of any revision. Entries that are not version 1 are left out. */
export const bidRequestSchema = z.preprocess(
  lowerKeys,
  z
    .object({
      id: text.min(1),
      nonce: z.number().default(0),
      request: list(z.preprocess(lowerKeys, z.object({ v1: bidEntrySchema.optional() })), MAX_NODES),
      peer_exclusion: list(text, 4096),
      peerexclusion: list(text, 4096),
      /** Extension: the orchestrator wants a reason instead of silence. */
      explain: z.boolean().default(false)
    })
    .transform(({ id, nonce, request, peer_exclusion, peerexclusion, explain }) => ({
      ensembleId: id,
      nonce,
      explain,
      entries: request.flatMap(entry => (entry.v1 ? [entry.v1] : [])),
      excludedPeers: [...peer_exclusion, ...peerexclusion]
    }))
)
/** A bid request after reading. */
export type BidRequest = z.infer<typeof bidRequestSchema>

/** A tree of reasons as it travels; bounded in depth by the reader of JSON and in width here. */
export interface WireRefusal {
  code: string
  message: string
  details?: Record<string, unknown> | undefined
  causes?: WireRefusal[] | undefined
}
/** Reader of a tree of reasons. */
export const refusalSchema: z.ZodType<WireRefusal> = z.object({
  code: text,
  message: z.string().max(2000),
  details: z.record(text, z.unknown()).optional(),
  causes: z
    .array(z.lazy(() => refusalSchema))
    .max(64)
    .optional()
})

/** Answer and failure in one: what nearly every behaviour of a deployment replies. */
export const okReplySchema = z.object({
  OK: z.boolean().default(false),
  Error: z.string().max(8000).default('')
})
/** An answer after reading. */
export type OkReply = z.infer<typeof okReplySchema>

/** Payload of `/dms/deployment/commit`: the place of one allocation (deployment §2.6, phase 1). */
export const commitRequestSchema = z.object({
  EnsembleID: text.min(1),
  /** Full allocation id (`<ensemble>_<node>.<allocation>`). */
  AllocationName: text.min(1),
  NodeID: text.default(''),
  Resources: resourcesSchema,
  /** Public port to workload port. Dynamic ports are counted in `DynamicPorts`. */
  PortMapping: z.preprocess(
    value => value ?? {},
    z.record(z.string().regex(/^\d{1,5}$/), z.number().int().min(0).max(65_535))
  ),
  /** Extension: workload ports that want a host port of the provider's choice. */
  DynamicPorts: list(z.number().int().min(1).max(65_535), 64)
})
/** A commit message after reading. */
export type CommitRequest = z.infer<typeof commitRequestSchema>

/** Extension: `PortMapping` of the reply names the host ports that were chosen. */
export const commitReplySchema = okReplySchema.extend({
  PortMapping: z.preprocess(value => value ?? {}, z.record(z.string(), z.number()))
})

/** One allocation as it is to be made (deployment §2.6, phase 2). */
export const allocationRequestSchema = z.object({
  Type: z.enum(['service', 'task']).default('service'),
  Executor: text,
  Resources: resourcesSchema,
  Execution: z.object({
    type: text,
    params: z.preprocess(value => value ?? {}, z.record(text, z.unknown()))
  }),
  /** Script name to base64. */
  ProvisionScripts: z.preprocess(value => value ?? {}, z.record(text, z.string())),
  /** Extension: the order the map lost. */
  ProvisionOrder: list(text, 64),
  Keys: list(z.unknown(), 64),
  Volume: list(z.unknown(), 64)
})
/** One allocation of an allocate message after reading. */
export type AllocationRequest = z.infer<typeof allocationRequestSchema>

/** Payload of `/dms/deployment/allocate`: all allocations of one node (deployment §2.6). */
export const allocateRequestSchema = z.object({
  EnsembleID: text.min(1),
  NodeID: text.default(''),
  /** By full allocation id. */
  Allocations: z
    .record(text, allocationRequestSchema)
    .refine(value => Object.keys(value).length <= MAX_ALLOCATIONS_PER_NODE, 'too many allocations')
})
/** An allocate message after reading. */
export type AllocateRequest = z.infer<typeof allocateRequestSchema>

/** Reply of `/dms/deployment/allocate`. */
export const allocateReplySchema = okReplySchema.extend({
  /** Handle of each allocation actor, wire form. */
  Allocations: z.preprocess(value => value ?? {}, z.record(text, z.unknown()))
})

/** Payload of `/dms/deployment/revert`, either spelling (deployment §2.8). */
export const revertRequestSchema = z
  .object({ EnsembleID: text.min(1), AllocsByName: list(text, 256), AllocationsIDs: list(text, 256) })
  .transform(value => ({
    ensembleId: value.EnsembleID,
    allocationIds: [...value.AllocsByName, ...value.AllocationsIDs]
  }))

/** Payload of `/dms/allocation/start` (deployment §2.9.2). */
export const startRequestSchema = z.object({
  SubnetIP: text.default(''),
  GatewayIP: text.default(''),
  /** Public port to workload port. */
  PortMapping: z.preprocess(
    value => value ?? {},
    z.record(z.string().regex(/^\d{1,5}$/), z.number().int().min(0).max(65_535))
  )
})
/** A start message after reading. */
export type StartRequest = z.infer<typeof startRequestSchema>

/** Payload of `/dms/allocation/subnet/dns/add-records`: names to addresses. */
export const dnsRecordsSchema = z.object({
  SubnetID: text.default(''),
  Records: z.preprocess(value => value ?? {}, z.record(text, text))
})

/** Payload of the ensemble behaviours `allocation/shutdown` and `allocation/status`. */
export const allocationIdSchema = z.object({ AllocationID: text.min(1) })

/** Payload of the ensemble behaviour `allocation/logs` (deployment §2.15). */
export const logsRequestSchema = z.object({
  AllocName: text.min(1),
  /** Absent: both whole logs in one reply, the form of older orchestrators. */
  Stream: z.enum(['stdout', 'stderr']).optional(),
  offset: z.number().int().min(0).default(0),
  max_bytes: z.number().int().min(1).max(524_288).default(524_288),
  /** Extension: wait up to this long for more output before an empty answer. */
  wait_ms: z.number().int().min(0).max(30_000).default(0)
})

/** Reply to a request for logs: a chunk, or both streams whole. */
export const logsReplySchema = z.object({
  Stdout: z.string().nullish(),
  Stderr: z.string().nullish(),
  Error: z.string().default(''),
  offset: z.number().default(0),
  next_offset: z.number().default(0),
  total_size: z.number().default(0),
  /** No more output will come. */
  eof: z.boolean().default(false),
  data: z.string().nullish()
})

/** How an execution ended, as tasks report it (deployment §2.14). */
export const executionErrorSchema = z
  .object({
    err: z.string().max(8000).default(''),
    exit_code: z.number().int().default(0),
    killed: z.boolean().default(false)
  })
  .nullish()
  .transform(value => value ?? { err: '', exit_code: 0, killed: false })

/** Payload of `/dms/orchestrator/task-termination` (deployment §2.14). */
export const taskTerminationSchema = z.object({
  allocation_id: text.min(1),
  status: z.enum(['completed', 'failed']),
  error: executionErrorSchema,
  stdout: z
    .string()
    .nullish()
    .transform(value => value ?? ''),
  stderr: z
    .string()
    .nullish()
    .transform(value => value ?? ''),
  /** Extension: the logs did not fit in one message and must be fetched. */
  logs_truncated: z.boolean().default(false)
})
/** A report of the end of a task after reading. */
export type TaskTermination = z.infer<typeof taskTerminationSchema>

/** Extension: reply of `<ensemble>/allocation/status`. */
export const allocationStatusSchema = okReplySchema.extend({
  Status: z
    .enum([
      'pending',
      'starting',
      'running',
      'restarting',
      'stopped',
      'completed',
      'failed',
      'terminated',
      'standby',
      'unknown'
    ])
    .default('unknown'),
  ExitCode: z.number().int().default(0),
  Killed: z.boolean().default(false),
  /** Why it failed. */
  Reason: z.string().max(8000).default('')
})
/** A status reply after reading. */
export type AllocationStatusReply = z.infer<typeof allocationStatusSchema>

/** Extension: payload of `/dms/orchestrator/allocation-event`. */
export const allocationEventSchema = z.object({
  allocation_id: text.min(1),
  status: text,
  /** For example `pulling busybox 43 %`. */
  detail: z.string().max(2000).default('')
})
