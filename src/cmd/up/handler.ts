import { loadConfig } from '../../config/index.ts'
import type { Handler } from '../cli/command.ts'
import { runNode } from '../run/handler.ts'
import { tellDaemon } from '../session/daemon-signal.ts'
import { userPaths } from '../session/paths.ts'
import { prepareConfig } from './config-file.ts'
import type { UP_FLAGS } from './flags.ts'
import { ensureIdentity, Passphrases } from './identities.ts'
import { ensureTrust } from './trust.ts'

/** `nunet up`. */
export const upHandler: Handler<typeof UP_FLAGS> = {
  async run({ cli, flags, globals }) {
    const { terminal } = cli
    const { sources, path, created } = await prepareConfig(cli, globals, flags)
    terminal.err(`${created ? 'made' : 'using'} configuration ${path}\n`)
    const { config } = loadConfig(sources)
    const passphrases = new Passphrases(cli, globals)
    const user = await ensureIdentity(cli, config, flags.user, passphrases)
    const node = await ensureIdentity(cli, config, flags.context, passphrases)
    const names = { user: { name: flags.user, did: user }, node: { name: flags.context, did: node } }
    const wishes = {
      trust: flags.trust,
      provideFiles: flags['provide-token'],
      requireFiles: flags['require-token']
    }
    await ensureTrust(cli, config, names, wishes, passphrases)
    if (flags['no-run']) {
      await tellDaemon(cli.files, userPaths(config).run, flags.context)
      const option = globals.has('user-dir') || globals.has('config') ? ` --config ${path}` : ''
      terminal.err(`ready; start the node with 'nunet run -c ${flags.context}${option}'\n`)
      return 0
    }
    await runNode(cli, config, flags.context, await passphrases.get(flags.context, false))
    return 0
  }
}
