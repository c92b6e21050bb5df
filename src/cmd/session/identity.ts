/** The identity a command acts with: key and capability context of one name in the user directory. */

import { type CapabilityContext, createCapabilityStore } from '../../lib/ucan/index.ts'
import type { Did } from '../../types/index.ts'
import { errorMessage, NuError } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { CommandError, PassphraseError } from '../cli/errors.ts'
import { oneLine } from '../cli/printable.ts'
import { keyLookup, openContext } from './did-keys.ts'
import { tellEndings } from './endings.ts'
import { userPaths } from './paths.ts'
import { openSigner, type SignerRequest } from './signer.ts'
import { contextNameOf } from './wallet.ts'

export interface Identity {
  readonly did: Did
  readonly context: CapabilityContext
}

/** Opens signer and context. @throws CommandError `could not create security context: …` with the reason. */
export async function openIdentity(cli: Cli, request: SignerRequest): Promise<Identity> {
  const { config } = request
  const name = contextNameOf(request.name)
  try {
    const store = createCapabilityStore(cli, { directory: userPaths(config).capabilities })
    const opening = openSigner(cli, request)
    const [signer, file] = await Promise.all([opening, store.load(name, { signer: () => opening })])
    if (file === undefined) {
      throw new CommandError(`there is no capability context '${name}'`, {
        hint: `make one with 'nunet cap new ${request.name}'`
      })
    }
    if (file.did !== signer.did) {
      throw new CommandError(
        `capability context '${name}' belongs to ${file.did}, but key '${request.name}' is ${signer.did}`,
        {
          hint: `restore the key, or start anew with 'nunet cap new --force ${request.name}'`
        }
      )
    }
    const lookup = keyLookup(cli, config, signer)
    const { context, problems } = await openContext(cli, lookup, { owner: signer.did, signer }, file)
    for (const problem of problems)
      cli.terminal.err(`warning: in context '${name}': ${oneLine(problem.message)}\n`)
    await tellEndings(cli, config, { owner: signer.did, context: name }, context.anchors)
    return { did: signer.did, context }
  } catch (cause) {
    cli.signal.throwIfAborted()
    if (cause instanceof PassphraseError) throw cause
    throw new CommandError(`could not create security context: ${errorMessage(cause)}`, {
      cause,
      ...(cause instanceof NuError && cause.hint !== undefined ? { hint: cause.hint } : {})
    })
  }
}
