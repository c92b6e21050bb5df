/** What a node says of its own capabilities in `/dms/node/status`. */

import type { Cli } from '../cli/command.ts'
import { oneLine } from '../cli/printable.ts'
import { listMember, type Reply, recordMember, textMember } from '../session/call.ts'
import type { NodeClient } from './connect.ts'

/** The local node answers at once or not at all, and nobody waits for this. Milliseconds. */
const ANSWER_TIMEOUT_MS = 2_000

/** How it stands, and a line for each thing that ends or has ended. */
export interface NodeHealth {
  readonly status: string
  readonly issues: readonly { readonly line: string; readonly renewal: string }[]
}

/** `undefined` when the node does not say: an older one, or one that does not tell us. */
export async function askHealth(node: NodeClient): Promise<NodeHealth | undefined> {
  try {
    const reply = await node.call('/dms/node/status', undefined, { waitMs: ANSWER_TIMEOUT_MS })
    return readHealth(recordMember(reply, node.session.node.address.host))
  } catch {
    return undefined
  }
}

/** A node whose capabilities end must not look well only because nothing has failed yet: a warning on standard error. */
export function tellHealth({ terminal }: Pick<Cli, 'terminal'>, health: NodeHealth | undefined): void {
  if (health === undefined || health.status === 'healthy') return
  const [first] = health.issues
  terminal.err(`warning: a capability of the node ${oneLine(first?.line ?? health.status)}\n`)
  terminal.err("hint: 'nunet doctor' says who has to renew what\n")
}

function readHealth(status: Reply): NodeHealth | undefined {
  const capabilities = recordMember(status, 'capabilities')
  const text = textMember(capabilities, 'Status')
  if (text === '') return undefined
  return { status: text, issues: listMember(capabilities, 'Issues').map(readIssue) }
}

function readIssue(issue: Reply): NodeHealth['issues'][number] {
  const verb = textMember(issue, 'Status') === 'expired' ? 'ended' : 'ends'
  const renewal = listMember(issue, 'Renewal').map(
    step => `${textMember(step, 'By')}: ${textMember(step, 'Command')}`
  )
  return {
    line: `${verb} ${textMember(issue, 'Ends')}: ${textMember(issue, 'Effect')}`,
    renewal: renewal.join('; then ')
  }
}
