/** One deployment looked at closely: its allocations and their output (cli-api-config §6.6). */

import { z } from 'zod'
import { bytesToBase64, errorMessage, isoTime, Limiter, renderRefusal } from '../../../utils/index.ts'
import { MAX_EVENT_WAIT_MS, type Orchestrator } from '../../orchestrator/index.ts'
import { type Declaration, declare } from '../declare.ts'

const BASE = '/dms/node/deployment'
const MAX_LOG_CHUNK = 262_144

/** Allocations whose output is fetched at once for one reply; each may be large. */
const MAX_PARALLEL_LOGS = 4

const text = z.string().max(512)

interface OutputBehaviorDeps {
  orchestrator: Orchestrator
}

/** `info`, `logs` and `logs/read`. */
export function outputBehaviors(deps: OutputBehaviorDeps): Declaration[] {
  return [info(deps), writeLogs(deps), readLogs(deps)]
}

function info({ orchestrator }: OutputBehaviorDeps): Declaration {
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

function writeLogs({ orchestrator }: OutputBehaviorDeps): Declaration {
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

function readLogs({ orchestrator }: OutputBehaviorDeps): Declaration {
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
