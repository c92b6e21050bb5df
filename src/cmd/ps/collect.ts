import { Limiter, parseTimeMs } from '../../utils/index.ts'
import type { NodeClient } from '../deployments/connect.ts'
import { type DeploymentSummary, listDeployments } from '../deployments/find.ts'
import { isRecord, numberMember, type Reply, recordMember, textMember } from '../session/call.ts'

/** Deployments asked about at once. */
const CONCURRENCY = 8
/** Deployments shown at most. */
const MOST = 200
const DAY_MS = 86_400_000
const ENDED: readonly string[] = ['Completed', 'Failed']

export interface AllocationRow {
  readonly name: string
  readonly status: string
  readonly node: string
  readonly peer: string
  readonly exitCode: number | undefined
  readonly error: string
  /** Public port to workload port. */
  readonly ports: Readonly<Record<string, number>>
}

export interface DeploymentRow extends DeploymentSummary {
  /** First line of what went wrong; empty when nothing did. */
  readonly error: string
  readonly allocations: readonly AllocationRow[]
}

/** Deployments with their allocations, newest first. Without `all`, those that are active or ended within a day. */
export async function collectDeployments(
  node: NodeClient,
  nowMs: number,
  all: boolean
): Promise<DeploymentRow[]> {
  const listed = await listDeployments(node)
  const chosen = listed.filter(
    entry => all || !ENDED.includes(entry.status) || nowMs - timeOf(entry.createdAt, nowMs) < DAY_MS
  )
  const limiter = new Limiter(CONCURRENCY, MOST)
  return await Promise.all(chosen.slice(0, MOST).map(entry => limiter.run(() => describe(node, entry))))
}

/** The time of a text; now when it is none. */
export function timeOf(text: string, nowMs: number): number {
  try {
    return parseTimeMs(text)
  } catch {
    return nowMs
  }
}

async function describe(node: NodeClient, summary: DeploymentSummary): Promise<DeploymentRow> {
  const reply = await node.call('/dms/node/deployment/info', { id: summary.id })
  const manifest = recordMember(reply, 'manifest')
  const nodes = recordMember(manifest, 'nodes')
  const allocations = Object.entries(recordMember(manifest, 'allocations'))
    .filter((entry): entry is [string, Reply] => isRecord(entry[1]))
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, entry]) => allocationRow(name, entry, nodes))
  return { ...summary, error: textMember(reply, 'error').split('\n')[0] ?? '', allocations }
}

function allocationRow(name: string, entry: Reply, nodes: Reply): AllocationRow {
  const node = textMember(entry, 'node_id', 'NodeID')
  const ports = Object.entries(recordMember(entry, 'ports')).flatMap(([from, to]) =>
    typeof to === 'number' ? [[from, to] as const] : []
  )
  return {
    name,
    status: textMember(entry, 'status'),
    node,
    peer: textMember(recordMember(nodes, node), 'peer'),
    exitCode: numberMember(entry, 'exit_code'),
    error: textMember(entry, 'error'),
    ports: Object.fromEntries(ports)
  }
}
