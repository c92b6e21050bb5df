import { createKeyStore } from '../../lib/crypto/index.ts'
import { formatDuration } from '../../utils/index.ts'
import type { Cli, Handler } from '../cli/command.ts'
import { InterruptedError } from '../cli/errors.ts'
import { oneLine } from '../cli/printable.ts'
import { resolvePassphrase } from '../session/passphrase.ts'
import { userPaths } from '../session/paths.ts'
import { loadSettings } from '../session/settings.ts'
import type { RUN_FLAGS } from './flags.ts'

/** Expiring capabilities told at the start. */
const MAX_ENDINGS = 5

/** `nunet run`. */
export const runHandler: Handler<typeof RUN_FLAGS> = {
  async run({ cli, flags, globals }) {
    const config = loadSettings(cli, globals)
    const keys = createKeyStore(cli, { directory: userPaths(config).keys })
    const isNew = !(await keys.exists(flags.context))
    const passphrase = await resolvePassphrase(cli, globals, { key: flags.context, isNew })
    await runNode(cli, config, flags.context, passphrase)
    return 0
  }
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
