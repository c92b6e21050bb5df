/** What a user asks of the deployments of this node (cli-api-config §6.6, deployment §2.13). */

import { z } from 'zod'
import type { DeploymentEvent } from '../../../db/index.ts'
import type { Clock } from '../../../types/index.ts'
import { renderRefusal } from '../../../utils/index.ts'
import { type Ensemble, ensembleSchema } from '../../ensemble/index.ts'
import { isActive, MAX_EVENT_WAIT_MS, type Orchestrator } from '../../orchestrator/index.ts'
import { type Declaration, declare } from '../declare.ts'
import { listDeployments } from './deployment-list.ts'
import { outputBehaviors } from './deployment-output.ts'
import { readTime } from './times.ts'

/** Behaviours under this path need the capability of the same name (identity-and-actors §11.2). */
const BASE = '/dms/node/deployment'

const DEFAULT_EVENT_LIMIT = 200
const MAX_EVENT_LIMIT = 1000
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
    events(deps),
    ...outputBehaviors(deps),
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
