/** The identity a command acts with: key and capability context of one name in the user directory. */

import { type CapabilityContext, type CapabilityStore, createCapabilityStore } from '../../lib/ucan/index.ts'
import type { Did } from '../../types/index.ts'
import { errorCode, errorMessage, NuError } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { CommandError, PassphraseError } from '../cli/errors.ts'
import { oneLine } from '../cli/printable.ts'
import { noContext } from './context-file.ts'
import { keyLookup, openContext } from './did-keys.ts'
import { tellEndings } from './endings.ts'
import { userPaths } from './paths.ts'
import { openSigner, type SignerRequest } from './signer.ts'
import { contextNameOf } from './wallet-name.ts'

export interface Identity {
  readonly did: Did
  readonly context: CapabilityContext
}

/** Opens signer and context. @throws CommandError `could not create security context: …` with the reason. */
export async function openIdentity(cli: Cli, request: SignerRequest): Promise<Identity> {
  const { config } = request
  const name = contextNameOf(request.name)
  const store = createCapabilityStore(cli, { directory: userPaths(config).capabilities })
  try {
    const opening = openSigner(cli, request)
    const [signer, file] = await Promise.all([opening, store.load(name, { signer: () => opening })])
    if (file === undefined) {
      throw noContext(request.name, await store.list())
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
    const hint = await hintOf(cause, store, request.name)
    throw new CommandError(`could not create security context: ${errorMessage(cause)}`, {
      cause,
      ...(hint === undefined ? {} : { hint })
    })
  }
}

/** Without a key there is mostly no context either, and 'cap new' makes both. */
async function hintOf(cause: unknown, store: CapabilityStore, name: string): Promise<string | undefined> {
  if (errorCode(cause) === 'KEY_NOT_FOUND' && !(await store.exists(contextNameOf(name))))
    return noContext(name, await store.list()).hint
  return cause instanceof NuError ? cause.hint : undefined
}
