/** The file of a capability context, plain or sealed: the key of its owner is opened only for a sealed one. */

import { type CapabilityFile, createCapabilityStore, type FileAccess } from '../../lib/ucan/index.ts'
import type { Cli } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import { userPaths } from './paths.ts'
import { openSigner, type SignerRequest } from './signer.ts'
import { contextNameOf } from './wallet.ts'

/** How the store opens the file of an identity. */
export function fileAccess(cli: Cli, request: SignerRequest): FileAccess {
  return { signal: cli.signal, signer: () => openSigner(cli, request) }
}

/** The file of a context. @throws CommandError when there is none; CapabilityError, PassphraseError, KeyStoreError */
export async function loadContextFile(cli: Cli, request: SignerRequest): Promise<CapabilityFile> {
  const name = contextNameOf(request.name)
  const store = createCapabilityStore(cli, { directory: userPaths(request.config).capabilities })
  const file = await store.load(name, fileAccess(cli, request))
  if (file !== undefined) return file
  throw new CommandError(`there is no capability context '${name}'`, {
    hint: `make one with 'nunet cap new ${request.name}'`
  })
}
