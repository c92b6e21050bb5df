/** Handing revocations to the local daemon, which tells its network. */

import { exactJson } from '../../../actor/message/index.ts'
import { formatTokenList, type Token } from '../../../lib/ucan/index.ts'
import { errorMessage, NuError } from '../../../utils/index.ts'
import type { Cli } from '../../cli/command.ts'
import { CommandError } from '../../cli/errors.ts'
import { oneLine } from '../../cli/printable.ts'
import { connectNode } from '../../deployments/connect.ts'
import { isRecord, numberMember, textMember } from '../../session/call.ts'

/** What is sent: revocations, and the tokens they revoke, for nodes that cannot know their issuer. */
export interface Sending {
  readonly revocations: readonly Token[]
  readonly revoked: readonly Token[]
  /** Context that may administer the local daemon. */
  readonly via: string
}

/** Tokens in one message to the daemon. */
const MAX_PER_MESSAGE = 32

/**
 * Tells on standard error whom the revocations reached.
 * @throws CommandError when there is no daemon or it refuses; the hint says how to try again.
 */
export async function sendRevocations(
  cli: Cli,
  globals: ReadonlyMap<string, unknown>,
  { revocations, revoked, via }: Sending
): Promise<void> {
  try {
    using node = await connectNode(cli, globals, via)
    for (let from = 0; from < revocations.length; from += MAX_PER_MESSAGE) {
      const to = from + MAX_PER_MESSAGE
      const reply = await node.call('/dms/cap/revoke/broadcast', {
        Token: exactJson(formatTokenList(revocations.slice(from, to))),
        Proof: exactJson(formatTokenList(revoked.slice(from, to)))
      })
      const problem = textMember(reply, 'Error')
      if (problem !== '') throw new CommandError(`the node did not take the revocation: ${oneLine(problem)}`)
      tell(cli, reply)
    }
  } catch (error) {
    cli.signal.throwIfAborted()
    const reason = errorMessage(error)
    const hint = error instanceof NuError && error.hint !== undefined ? `${error.hint}; then ` : ''
    throw new CommandError(`the revocation was not sent: ${reason}`, {
      cause: error,
      hint: `${hint}send it again with 'nunet cap broadcast -c ${via} <revocation>'; '-c' names a context the node obeys`
    })
  }
}

function tell(cli: Cli, reply: unknown): void {
  const record = isRecord(reply) ? reply : {}
  const [confirmed, listeners] = [
    numberMember(record, 'Confirmed') ?? 0,
    numberMember(record, 'Listeners') ?? 0
  ]
  const count = confirmed === 1 ? '1 other node has' : `${confirmed} other nodes have`
  cli.terminal.err(
    `The node has the revocation; ${count} confirmed it (${listeners} connected peers listen).\n`
  )
  const refused = textMember(record, 'Refused')
  if (refused !== '') cli.terminal.err(`warning: a node did not take it: ${oneLine(refused)}\n`)
  else if (confirmed === 0)
    cli.terminal.err(
      'Nodes that are away ask for it when they are back, as long as one that knows it is there.\n'
    )
}
