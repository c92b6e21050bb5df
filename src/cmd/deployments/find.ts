import { CommandError } from '../cli/errors.ts'
import { listMember, recordMember, textMember } from '../session/call.ts'
import type { NodeClient } from './connect.ts'

/** One line of the list of deployments. */
export interface DeploymentSummary {
  readonly id: string
  readonly status: string
  /** RFC 3339; empty when the node does not tell. */
  readonly createdAt: string
}

/** All deployments of the local node, newest first. */
export async function listDeployments(node: Pick<NodeClient, 'call'>): Promise<DeploymentSummary[]> {
  const reply = await node.call('/dms/node/deployment/list', { metadata: {}, sort_by: '-created_at' })
  const listed = listMember(reply, 'deployments').map(entry => ({
    id: textMember(entry, 'orchestrator_id'),
    status: textMember(entry, 'status'),
    createdAt: textMember(entry, 'created_at')
  }))
  // The form of v0.5: an object from id to status.
  const older = Object.entries(recordMember(reply, 'Deployments')).map(([id, status]) => ({
    id,
    status: String(status),
    createdAt: ''
  }))
  return listed.length > 0 ? listed : older
}

/** The deployment whose id starts with some text. @throws CommandError when none or several do. */
export async function findDeployment(
  node: Pick<NodeClient, 'call'>,
  prefix: string
): Promise<DeploymentSummary> {
  const all = await listDeployments(node)
  const exact = all.find(({ id }) => id === prefix)
  if (exact !== undefined) return exact
  const matches = all.filter(({ id }) => id.startsWith(prefix))
  const [only] = matches
  if (only === undefined || prefix === '')
    throw new CommandError(`there is no deployment '${prefix}'`, { hint: "'nunet ps --all' lists them" })
  if (matches.length === 1) return only
  const candidates = matches.slice(0, 5).map(({ id }) => id.slice(0, prefix.length + 8))
  throw new CommandError(`'${prefix}' fits ${matches.length} deployments: ${candidates.join(', ')}`, {
    hint: 'give more of the id'
  })
}
