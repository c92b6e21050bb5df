import type { Cli } from '../cli/command.ts'
import { UsageError } from '../cli/errors.ts'
import { type CallOptions, callNode, type Reply } from '../session/call.ts'
import { openSession, type Session } from '../session/session.ts'
import { loadSettings } from '../session/settings.ts'

/** A session with the local node and the way to call it. */
export interface NodeClient extends Disposable {
  readonly session: Session
  call(behavior: string, payload: unknown, options?: Partial<CallOptions>): Promise<Reply>
}

/** Opens one for a command. Dispose it. */
export async function connectNode(
  cli: Cli,
  globals: ReadonlyMap<string, unknown>,
  context: string
): Promise<NodeClient> {
  const config = loadSettings(cli, globals)
  const session = await openSession({ cli, config, globals, context })
  return {
    session,
    call: (behavior, payload, options = {}) =>
      callNode(session, cli.clock, behavior, payload, { signal: cli.signal, ...options }),
    [Symbol.dispose]: () => session[Symbol.dispose]()
  }
}

/** @throws UsageError for an output format nobody knows. */
export function readOutput(text: string): 'table' | 'json' {
  if (text === 'text') return 'table' // what other commands call it
  if (text === 'table' || text === 'json') return text
  throw new UsageError(`unknown output format '${text}'`, { hint: "choose 'table' or 'json'" })
}
