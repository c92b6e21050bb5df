/** The list of deployments: filters, order and pages (cli-api-config §6.6). */

import { z } from 'zod'
import type { DeploymentQuery, DeploymentRecord, DeploymentStatus } from '../../../db/index.ts'
import type { Clock } from '../../../types/index.ts'
import { isoTime } from '../../../utils/index.ts'
import { type Orchestrator, TRANSITIONS } from '../../orchestrator/index.ts'
import { type Declaration, declare } from '../declare.ts'
import { readTime } from './times.ts'

/** Deployments in one reply; also when no limit was given, since a reply must fit into one message. */
const MAX_LISTED = 1000

const text = z.string().max(512)

const times = {
  created_after: text.optional(),
  created_before: text.optional(),
  updated_after: text.optional(),
  updated_before: text.optional()
}

/** Declares `/dms/node/deployment/list`. */
export function listDeployments({
  orchestrator,
  clock
}: {
  orchestrator: Orchestrator
  clock: Clock
}): Declaration {
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
    path: '/dms/node/deployment/list',
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
