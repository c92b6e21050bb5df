import { errorMessage } from '../../utils/index.ts'
import type { Handler } from '../cli/command.ts'
import { CommandError, EXIT } from '../cli/errors.ts'
import { oneLine } from '../cli/printable.ts'
import { connectNode, type NodeClient } from '../deployments/connect.ts'
import { findDeployment } from '../deployments/find.ts'
import type { ACTING_FLAGS } from '../deployments/flags.ts'
import { textMember } from '../session/call.ts'

/** Taking down a deployment may mean waiting for workloads that end slowly. Milliseconds. */
const STOP_TIMEOUT_MS = 120_000

/** `nunet stop`. */
export const stopHandler: Handler<typeof ACTING_FLAGS> = {
  async run({ cli, flags, args, globals }) {
    using node = await connectNode(cli, globals, flags.context)
    const [first = ''] = args
    if (args.length === 1) {
      cli.terminal.out(`${await stopOne(node, first)}\n`)
      return EXIT.ok
    }
    let failed = 0
    for (const prefix of args) {
      try {
        cli.terminal.out(`${await stopOne(node, prefix)}\n`)
      } catch (error) {
        cli.signal.throwIfAborted()
        failed++
        cli.terminal.warn(`Error: ${oneLine(errorMessage(error))}\n`)
      }
    }
    if (failed === 0) return EXIT.ok
    return failed < args.length ? EXIT.partly : EXIT.failed
  }
}

/** The id of the deployment that was stopped. */
async function stopOne(node: NodeClient, prefix: string): Promise<string> {
  const { id } = await findDeployment(node, prefix)
  const reply = await node.call('/dms/node/deployment/shutdown', { ID: id }, { waitMs: STOP_TIMEOUT_MS })
  if (reply['OK'] === true) return id
  throw new CommandError(
    `deployment '${id.slice(0, 12)}' was not stopped: ${textMember(reply, 'Error') || 'no reason given'}`
  )
}
