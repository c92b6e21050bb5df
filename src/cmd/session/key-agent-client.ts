import { KeyAgentClient } from '../../key-agent/index.ts'
import type { Cli } from '../cli/command.ts'

/** A client of the agent behind a socket. A file of its own, so that it loads only where there is a socket. */
export function createAgentClient(cli: Pick<Cli, 'clock'>, path: string): KeyAgentClient {
  return new KeyAgentClient(cli, { path })
}
