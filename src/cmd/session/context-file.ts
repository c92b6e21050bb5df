/** The file of a capability context, plain or sealed: the key of its owner is opened only for a sealed one. */

import { type CapabilityFile, createCapabilityStore, type FileAccess } from '../../lib/ucan/index.ts'
import type { Cli } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import { nearest } from '../cli/flags.ts'
import { userPaths } from './paths.ts'
import { openSigner, type SignerRequest } from './signer.ts'
import { contextNameOf } from './wallet-name.ts'

/** How the store opens the file of an identity. */
export function fileAccess(cli: Cli, request: SignerRequest): FileAccess {
  return { signal: cli.signal, signer: () => openSigner(cli, request) }
}

/** The error for the name of a context that is not there, with the one that may be meant. */
export function noContext(name: string, known: readonly string[]): CommandError {
  const context = contextNameOf(name)
  return new CommandError(`there is no capability context '${context}'`, {
    hint: missingHint(context, known, `make one with 'nunet cap new ${name}'`)
  })
}

/** The error for the name of a key that is not there. */
export function noKey(name: string, directory: string, known: readonly string[]): CommandError {
  return new CommandError(`there is no key '${name}' in '${directory}'`, {
    hint: missingHint(name, known, `make one with 'nunet key new ${name}'`)
  })
}

function missingHint(name: string, known: readonly string[], make: string): string {
  const near = nearest(name, known)
  return near === undefined ? make : `did you mean '${near}'? Otherwise ${make}`
}

/** The file of a context. @throws CommandError when there is none; CapabilityError, PassphraseError, KeyStoreError */
export async function loadContextFile(cli: Cli, request: SignerRequest): Promise<CapabilityFile> {
  const name = contextNameOf(request.name)
  const store = createCapabilityStore(cli, { directory: userPaths(request.config).capabilities })
  const file = await store.load(name, fileAccess(cli, request))
  if (file !== undefined) return file
  throw noContext(request.name, await store.list())
}
