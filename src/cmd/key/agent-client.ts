/** The agent for the commands about it. */

import type { Config } from '../../config/index.ts'
import { findSocket, KeyAgentClient, KeyAgentError } from '../../key-agent/index.ts'
import type { Cli } from '../cli/command.ts'
import { agentPlace } from '../session/agent-place.ts'

export { openSystemGuard } from '../../key-agent/index.ts'

/** A client of the running agent; `undefined` when none runs. Dispose it. @throws KeyAgentError for a socket that is not to be trusted */
export function findAgent(cli: Cli, config: Config): KeyAgentClient | undefined {
  const found = findSocket(agentPlace(cli, config))
  if (found === undefined) return undefined
  if ('path' in found) return new KeyAgentClient(cli, found)
  throw new KeyAgentError('KEY_AGENT_UNSAFE', found.problem, {
    hint: 'nothing was sent; find out who made it, and remove it'
  })
}

/** A client of the running agent. @throws KeyAgentError `KEY_AGENT_ABSENT` */
export function requireAgent(cli: Cli, config: Config): KeyAgentClient {
  const client = findAgent(cli, config)
  if (client !== undefined) return client
  throw new KeyAgentError('KEY_AGENT_ABSENT', 'no key agent runs', {
    hint: "start one with 'nunet key agent'"
  })
}
