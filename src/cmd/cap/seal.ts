import { createCapabilityStore } from '../../lib/ucan/index.ts'
import type { Handler } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import { fileAccess, noContext } from '../session/context-file.ts'
import { userPaths } from '../session/paths.ts'
import { loadSettings } from '../session/settings.ts'
import { contextNameOf, walletKindOf } from '../session/wallet-name.ts'
import type { CONTEXT_FLAGS } from './flags.ts'

/** `nunet cap seal`. */
export const capSealHandler: Handler<typeof CONTEXT_FLAGS> = {
  run: invocation => convert(invocation, 'seal')
}

/** `nunet cap unseal`. */
export const capUnsealHandler: Handler<typeof CONTEXT_FLAGS> = {
  run: invocation => convert(invocation, 'unseal')
}

/** Nobody is asked for a passphrase when there is nothing to do. A daemon opens either form, so it need not be told. */
async function convert(
  { cli, flags, globals }: Parameters<Handler<typeof CONTEXT_FLAGS>['run']>[0],
  action: 'seal' | 'unseal'
): Promise<number> {
  const config = loadSettings(cli, globals)
  const [name, context] = [flags.context, contextNameOf(flags.context)]
  if (walletKindOf(name) !== undefined) {
    throw new CommandError(`the context of wallet '${name}' cannot be sealed`, {
      hint: 'only keys of this machine open a sealed context'
    })
  }
  const store = createCapabilityStore(cli, { directory: userPaths(config).capabilities })
  if (!(await store.exists(context))) {
    throw noContext(name, await store.list())
  }
  const wanted = action === 'seal'
  const access = fileAccess(cli, { config, globals, name })
  const changed =
    (await store.isSealed(context)) !== wanted &&
    (wanted ? await store.seal(context, access) : await store.unseal(context, access))
  const state = wanted ? 'sealed' : 'plain'
  cli.terminal.out(`Capability context '${context}' is ${changed ? 'now' : 'already'} ${state}\n`)
  return 0
}
