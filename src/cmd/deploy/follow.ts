/** Follows a deployment by its events, asked for by long poll from the last one seen on. */

import type { Clock } from '../../types/index.ts'
import { CommandError } from '../cli/errors.ts'
import type { NodeClient } from '../deployments/connect.ts'
import { persist } from '../deployments/log-stream.ts'
import { listMember, numberMember, recordMember, textMember } from '../session/call.ts'
import type { DeploymentEvent } from './story.ts'

/** How long the node holds a request while nothing happens. Milliseconds. */
const LONG_POLL_MS = 20_000
const BATCH = 200

/** Yields the events of a deployment as they happen; a daemon that goes away for a while is waited for. The consumer leaves the loop. */
export async function* deploymentEvents(
  deps: { readonly node: Pick<NodeClient, 'call'>; readonly clock: Clock },
  id: string,
  signal: AbortSignal
): AsyncIterable<DeploymentEvent> {
  let after = 0
  for (;;) {
    const from = after
    const reply = await persist(deps.clock, true, signal, () =>
      deps.node.call(
        '/dms/node/deployment/events',
        { id, after: from, wait_ms: LONG_POLL_MS, limit: BATCH },
        { signal, waitMs: 2 * LONG_POLL_MS }
      )
    )
    const error = textMember(reply, 'error')
    if (error !== '') throw new CommandError(`cannot follow deployment '${id.slice(0, 12)}': ${error}`)
    for (const entry of listMember(reply, 'events')) {
      const sequence = numberMember(entry, 'sequence') ?? 0
      // A node that answers with what was seen already must not keep us busy with it.
      if (sequence <= after) continue
      after = sequence
      yield {
        sequence,
        atMs: numberMember(entry, 'at_ms') ?? 0,
        type: textMember(entry, 'type'),
        data: recordMember(entry, 'data')
      }
    }
  }
}
