/**
 * The key agent as commands see it: a signer when it runs and holds the key, otherwise nothing, and the command goes
 * on as without it. Costs a look at one or two paths where no agent runs.
 */

import type { Config } from '../../config/index.ts'
import { findSocket, KeyAgentClient } from '../../key-agent/index.ts'
import type { Signer } from '../../lib/did/index.ts'
import { errorCode, errorMessage } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { oneLine } from '../cli/printable.ts'
import { agentPlace } from './agent-place.ts'

/** What one command asked of the agent so far, by key: it may ask again, and then over the same connection. */
const ANSWERS = new WeakMap<Cli, Map<string, Promise<Signer | undefined>>>()

/** Signs with a key that the key agent holds unlocked; `undefined` when no agent runs or the key is locked. */
export async function findUnlockedKey(cli: Cli, config: Config, name: string): Promise<Signer | undefined> {
  const answers = ANSWERS.get(cli) ?? new Map<string, Promise<Signer | undefined>>()
  ANSWERS.set(cli, answers)
  const answer = answers.get(name) ?? askAgent(cli, config, name)
  answers.set(name, answer)
  return await answer
}

async function askAgent(cli: Cli, config: Config, name: string): Promise<Signer | undefined> {
  try {
    const found = findSocket(agentPlace(cli, config))
    if (found === undefined) return undefined
    if ('problem' in found) return goOn(cli, found.problem)
    return await new KeyAgentClient(cli, { path: found.path }).signer(name, { signal: cli.signal })
  } catch (error) {
    cli.signal.throwIfAborted()
    return errorCode(error) === 'KEY_AGENT_ABSENT' ? undefined : goOn(cli, errorMessage(error))
  }
}

function goOn(cli: Cli, problem: string): undefined {
  cli.terminal.warn(`warning: going on without the key agent: ${oneLine(problem)}\n`)
}
