/** What a user asks of the deployments of this node (cli-api-config §6.6, deployment §2.13). */

import { z } from 'zod'
import type {
  DeploymentEvent,
  DeploymentQuery,
  DeploymentRecord,
  DeploymentStatus
} from '../../../db/index.ts'
import type { Clock } from '../../../types/index.ts'
import {
  bytesToBase64,
  errorMessage,
  isoTime,
  Limiter,
  parseDurationMs,
  parseTimeMs,
  renderRefusal
} from '../../../utils/index.ts'
import { type Ensemble, ensembleSchema } from '../../ensemble/index.ts'
import { isActive, MAX_EVENT_WAIT_MS, type Orchestrator, TRANSITIONS } from '../../orchestrator/index.ts'
import { type Declaration, declare } from '../declare.ts'

/** Behaviours under this path need the capability of the same name (identity-and-actors §11.2). */
const BASE = '/dms/node/deployment'

const DEFAULT_EVENT_LIMIT = 200
const MAX_EVENT_LIMIT = 1000
const MAX_LOG_CHUNK = 262_144

/** Allocations whose output is fetched at once for one reply; each may be large. */
const MAX_PARALLEL_LOGS = 4

/** Deployments in one reply; also when no limit was given, since a reply must fit into one message. */
const MAX_LISTED = 1000

/** JSON text of the events in one reply, in UTF-16 units: far below what a message takes. The reader asks for the rest. */
const MAX_EVENTS_TEXT = 262_144

const text = z.string().max(512)
const idSchema = z
  .object({ id: text.optional(), ID: text.optional() })
  .transform(value => ({ id: value.id ?? value.ID ?? '' }))

export interface DeploymentBehaviorDeps {
  orchestrator: Orchestrator
  clock: Clock
}

/** All of them. */
export function deploymentBehaviors(deps: DeploymentBehaviorDeps): Declaration[] {
  return [
    newDeployment(deps),
    listDeployments(deps),
    status(deps),
    manifest(deps),
    info(deps),
    events(deps),
    writeLogs(deps),
    readLogs(deps),
    shutdown(deps),
    prune(deps),
    deleteDeployment(deps)
  ]
}

function newDeployment({ orchestrator }: DeploymentBehaviorDeps): Declaration {
  return declare({
    path: `${BASE}/new`,
    request: z.object({ Ensemble: ensembleSchema }),
    handle: async ({ payload, from, expiresAtNs }) => {
      if (from.did === '') return undefined
      const request = { requestedBy: from.did, expiresAtMs: Number(expiresAtNs / 1_000_000n) }
      const created = await orchestrator.create(payload.Ensemble satisfies Ensemble, request)
      if (created.ok) return { Status: 'OK', EnsembleID: created.value.id }
      return { Status: 'ERROR', Error: renderRefusal(created.error) }
    },
    onError: ({ message }) => ({ Status: 'ERROR', Error: message })
  })
}

const times = {
  created_after: text.optional(),
  created_before: text.optional(),
  updated_after: text.optional(),
  updated_before: text.optional()
}

function listDeployments({ orchestrator, clock }: DeploymentBehaviorDeps): Declaration {
  const request = z.preprocess(
    value => value ?? {},
    z.object({
      metadata: z.record(text, text).nullish(),
      Metadata: z.record(text, text).nullish(),
      limit: z.number().int().min(0).default(0),
      offset: z.number().int().min(0).default(0),
      status: z.array(z.union([text, z.number()])).nullish(),
      sort_by: text.default('-created_at'),
      ...times
    })
  )
  return declare({
    path: `${BASE}/list`,
    request,
    handle: ({ payload }) => {
      const wanted = payload.metadata ?? payload.Metadata ?? undefined
      const statuses = payload.status ? readStatuses(payload.status) : undefined
      const query: DeploymentQuery = {
        limit: payload.limit === 0 ? MAX_LISTED : Math.min(payload.limit, MAX_LISTED),
        offset: payload.offset,
        sort: payload.sort_by,
        ...(wanted ? { metadata: wanted } : {}),
        ...(statuses && statuses.length > 0 ? { status: statuses } : {}),
        ...timeRange(payload, clock)
      }
      const { records, total } = orchestrator.find(query)
      const next = payload.offset + records.length
      const hasMore = next < total && records.length > 0
      return {
        deployments: records.map(describe),
        total,
        has_more: hasMore,
        ...(hasMore ? { next_offset: next } : {})
      }
    },
    onError: ({ message }) => ({ deployments: [], total: 0, has_more: false, error: message })
  })
}

function describe(record: DeploymentRecord): Record<string, unknown> {
  return {
    orchestrator_id: record.id,
    status: record.status,
    created_at: isoTime(record.createdAtMs),
    updated_at: isoTime(record.updatedAtMs),
    ...(record.completedAtMs === undefined ? {} : { completed_at: isoTime(record.completedAtMs) }),
    ...(Object.keys(record.metadata).length > 0 ? { metadata: record.metadata } : {})
  }
}

const STATUS_NUMBERS: readonly DeploymentStatus[] = [
  'Preparing',
  'Generating',
  'Committing',
  'Provisioning',
  'Running',
  'Failed',
  'ShuttingDown',
  'Completed'
]

/** Names without regard to case, or the numbers of deployment §2.3; unknown ones are dropped as the reference does. */
function readStatuses(values: readonly (string | number)[]): DeploymentStatus[] {
  const names = Object.keys(TRANSITIONS)
  return values.flatMap(value => {
    const text = String(value)
    const byNumber = /^\d$/.test(text) ? STATUS_NUMBERS[Number(text)] : undefined
    if (byNumber !== undefined) return [byNumber]
    const name = names.find(candidate => candidate.toLowerCase() === text.toLowerCase())
    return name === undefined ? [] : [name as DeploymentStatus] // a key of TRANSITIONS is a status
  })
}

/** Points in time as the CLI takes them: RFC 3339, or an age such as `7d`. */
function readTime(value: string, clock: Clock): number {
  return /^\d+(\.\d+)?[a-zµ]/.test(value) ? clock.nowMs() - parseDurationMs(value) : parseTimeMs(value)
}

function timeRange(
  payload: { [K in keyof typeof times]?: string | undefined },
  clock: Clock
): Partial<DeploymentQuery> {
  return {
    ...(payload.created_after ? { createdAfterMs: readTime(payload.created_after, clock) } : {}),
    ...(payload.created_before ? { createdBeforeMs: readTime(payload.created_before, clock) } : {}),
    ...(payload.updated_after ? { updatedAfterMs: readTime(payload.updated_after, clock) } : {}),
    ...(payload.updated_before ? { updatedBeforeMs: readTime(payload.updated_before, clock) } : {})
  }
}

function status({ orchestrator }: DeploymentBehaviorDeps): Declaration {
  return declare({
    path: `${BASE}/status`,
    request: idSchema,
    handle: ({ payload }) => {
      const record = orchestrator.record(payload.id)
      const allocations = orchestrator.manifest(payload.id)?.allocations
      return {
        status: record.status,
        error: record.error ? renderRefusal(record.error) : '',
        ...(allocations && isActive(record.status) ? { allocation_info: allocations } : {})
      }
    },
    onError: ({ message }) => ({ status: '', error: message })
  })
}

function manifest({ orchestrator }: DeploymentBehaviorDeps): Declaration {
  return declare({
    path: `${BASE}/manifest`,
    request: idSchema,
    handle: ({ payload }) => ({ manifest: orchestrator.manifest(payload.id) ?? {} }),
    onError: ({ message }) => ({ manifest: {}, error: message })
  })
}

function info({ orchestrator }: DeploymentBehaviorDeps): Declaration {
  return declare({
    path: `${BASE}/info`,
    request: z
      .object({
        id: text.default(''),
        include_usage: z.boolean().default(false),
        include_logs: z.boolean().default(false),
        allocation_names: z.array(text).nullish()
      })
      .transform(value => ({ ...value, names: value.allocation_names ?? [] })),
    handle: async ({ payload, signal }) => {
      const record = orchestrator.record(payload.id)
      const found = orchestrator.manifest(payload.id)
      const chosen = Object.entries(found?.allocations ?? {}).filter(
        ([key]) => payload.names.length === 0 || payload.names.includes(key)
      )
      const limiter = new Limiter(MAX_PARALLEL_LOGS, chosen.length)
      const logsOf = (key: string): Promise<Record<string, string>> =>
        limiter.run(() => logPaths(orchestrator, payload.id, key, signal))
      const allocations = await Promise.all(
        chosen.map(async ([key, entry]) => {
          const details = {
            allocation_id: entry.id,
            status: entry.status,
            has_health_check: entry.healthcheck !== undefined,
            dns_name: entry.dns_name,
            ip: entry.priv_addr,
            ports: entry.ports ?? {},
            exit_code: entry.exit_code ?? null,
            error: entry.error ?? '',
            node: entry.node_id,
            peer: found?.nodes[entry.node_id]?.peer ?? '',
            ...(payload.include_logs ? { logs: await logsOf(key) } : {})
          }
          return [entry.id, details] as const
        })
      )
      return {
        id: record.id,
        status: record.status,
        created_at: isoTime(record.createdAtMs),
        ...(record.error ? { error: renderRefusal(record.error) } : {}),
        ...(found ? { manifest: found } : {}),
        ...(allocations.length > 0 ? { allocations: Object.fromEntries(allocations) } : {})
      }
    },
    onError: ({ message }) => ({ id: '', status: '', error: message })
  })
}

async function logPaths(
  orchestrator: Orchestrator,
  id: string,
  key: string,
  signal: AbortSignal
): Promise<Record<string, string>> {
  try {
    const directory = await orchestrator.writeLogs(id, key, { signal })
    return {
      stdout_path: `${directory}/stdout.log`,
      stderr_path: `${directory}/stderr.log`,
      logs_written_to: directory
    }
  } catch (error) {
    return { error: errorMessage(error) }
  }
}

function events({ orchestrator }: DeploymentBehaviorDeps): Declaration {
  return declare({
    path: `${BASE}/events`,
    request: z.object({
      id: text,
      after: z.number().int().min(0).default(0),
      wait_ms: z.number().int().min(0).max(MAX_EVENT_WAIT_MS).default(0),
      limit: z.number().int().min(1).max(MAX_EVENT_LIMIT).default(DEFAULT_EVENT_LIMIT)
    }),
    handle: async ({ payload, signal }) => {
      const query = { after: payload.after, waitMs: payload.wait_ms, limit: payload.limit }
      const found = fitting(await orchestrator.events(payload.id, query, { signal }))
      return {
        events: found.map(event => ({
          sequence: event.sequence,
          at_ms: event.atMs,
          type: event.type,
          data: event.data
        })),
        status: orchestrator.record(payload.id).status,
        next: found.at(-1)?.sequence ?? payload.after,
        error: ''
      }
    },
    onError: ({ message }) => ({ events: [], status: '', next: 0, error: message })
  })
}

/** The first events that fit into a reply together, at least one. */
function fitting(events: readonly DeploymentEvent[]): readonly DeploymentEvent[] {
  let textLength = 0
  const end = events.findIndex(event => {
    textLength += JSON.stringify(event.data).length
    return textLength > MAX_EVENTS_TEXT
  })
  return end < 0 ? events : events.slice(0, Math.max(1, end))
}

function writeLogs({ orchestrator }: DeploymentBehaviorDeps): Declaration {
  return declare({
    path: `${BASE}/logs`,
    request: z.object({ EnsembleID: text, AllocationName: text }),
    handle: async ({ payload, signal }) => ({
      LogsWrittenTo: await orchestrator.writeLogs(payload.EnsembleID, payload.AllocationName, { signal }),
      Error: ''
    }),
    onError: ({ message }) => ({ LogsWrittenTo: '', Error: message })
  })
}

function readLogs({ orchestrator }: DeploymentBehaviorDeps): Declaration {
  return declare({
    path: `${BASE}/logs/read`,
    request: z.object({
      id: text,
      allocation: text,
      stream: z.enum(['stdout', 'stderr']).default('stdout'),
      offset: z.number().int().min(0).default(0),
      max_bytes: z.number().int().min(1).max(MAX_LOG_CHUNK).default(MAX_LOG_CHUNK),
      wait_ms: z.number().int().min(0).max(MAX_EVENT_WAIT_MS).default(0)
    }),
    handle: async ({ payload, signal }) => {
      const request = {
        stream: payload.stream,
        offset: payload.offset,
        maxBytes: payload.max_bytes,
        waitMs: payload.wait_ms
      }
      const chunk = await orchestrator.readLogs(payload.id, payload.allocation, request, { signal })
      return {
        data: bytesToBase64(chunk.data),
        offset: chunk.offset,
        next_offset: chunk.nextOffset,
        total_size: chunk.totalSize,
        eof: chunk.isEnd,
        Error: ''
      }
    },
    onError: ({ message }) => ({
      data: '',
      offset: 0,
      next_offset: 0,
      total_size: 0,
      eof: true,
      Error: message
    })
  })
}

function shutdown({ orchestrator }: DeploymentBehaviorDeps): Declaration {
  return declare({
    path: `${BASE}/shutdown`,
    request: idSchema,
    handle: async ({ payload }) => {
      const done = await orchestrator.shutdown(payload.id)
      if (!done.ok) return { OK: false, Error: done.error.message }
      return { OK: true, Error: done.value.map(renderRefusal).join('\n') }
    },
    onError: ({ message }) => ({ OK: false, Error: message })
  })
}

function prune({ orchestrator, clock }: DeploymentBehaviorDeps): Declaration {
  return declare({
    path: `${BASE}/prune`,
    request: z.object({ before: text.nullish(), all: z.boolean().default(false) }),
    handle: async ({ payload }) => {
      if (!payload.all && !payload.before) return { ok: false, error: "give 'before' or 'all'" }
      await orchestrator.prune(
        payload.all || !payload.before ? {} : { beforeMs: readTime(payload.before, clock) }
      )
      return { ok: true }
    },
    onError: ({ message }) => ({ ok: false, error: message })
  })
}

function deleteDeployment({ orchestrator }: DeploymentBehaviorDeps): Declaration {
  return declare({
    path: `${BASE}/delete`,
    request: z.object({ orchestrator_id: text }),
    handle: async ({ payload }) => {
      const done = await orchestrator.delete(payload.orchestrator_id)
      return done.ok ? { ok: true } : { ok: false, error: done.error.message }
    },
    onError: ({ message }) => ({ ok: false, error: message })
  })
}
