import { createKeyStore } from '../../lib/crypto/index.ts'
import { formatDuration } from '../../utils/index.ts'
import type { Cli, Handler } from '../cli/command.ts'
import { CommandError, InterruptedError } from '../cli/errors.ts'
import { oneLine } from '../cli/printable.ts'
import { resolvePassphrase } from '../session/passphrase.ts'
import { userPaths } from '../session/paths.ts'
import { loadSettings } from '../session/settings.ts'
import { walletKindOf } from '../session/wallet-name.ts'
import type { RUN_FLAGS } from './flags.ts'

/** Expiring capabilities told at the start. */
const MAX_ENDINGS = 5

/** `nunet run`. */
export const runHandler: Handler<typeof RUN_FLAGS> = {
  async run({ cli, flags, globals }) {
    if (walletKindOf(flags.context) !== undefined) throw walletCannotRun(flags.context)
    const config = loadSettings(cli, globals)
    const keys = createKeyStore(cli, { directory: userPaths(config).keys })
    const isNew = !(await keys.exists(flags.context))
    const passphrase = await resolvePassphrase(cli, globals, { key: flags.context, isNew })
    await runNode(cli, config, flags.context, passphrase)
    return 0
  }
}

/** The node's key is the key of its network host, and a wallet gives none out (identity-and-actors §2.3). */
function walletCannotRun(context: string): CommandError {
  return new CommandError(`a node cannot run with the key of a wallet ('${context}')`, {
    hint: "run it with a key of its own, 'nunet run -c dms', and make the wallet its root: nunet cap anchor -c dms --root <DID>"
  })
}

/** Runs the daemon until a signal; being told to stop is a success. One line on standard error says that it is ready. */
export async function runNode(
  cli: Cli,
  config: ReturnType<typeof loadSettings>,
  context: string,
  passphrase: string
): Promise<void> {
  const { runDaemon } = await import('../../daemon/index.ts')
  const { signal, terminal } = cli
  try {
    await runDaemon({
      config,
      context,
      passphrase,
      signal,
      onReady: info => {
        terminal.err(
          `ready in ${formatDuration(info.readyMs)}: peer ${info.peerId}, REST on ${info.restAddress}, listening on ${info.addresses.join(', ') || 'nothing'}\n`
        )
        for (const ending of info.endings.slice(0, MAX_ENDINGS))
          terminal.err(`warning: a capability ${oneLine(ending)}\n`)
        if (info.endings.length > 0) terminal.err("hint: 'nunet doctor' says who has to renew what\n")
      }
    })
  } catch (error) {
    if (!(signal.aborted && signal.reason instanceof InterruptedError && error === signal.reason)) throw error
  }
}
