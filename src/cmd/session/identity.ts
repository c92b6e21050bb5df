/** The identity a command acts with: key and capability context of one name in the user directory. */

import type { Config } from '../../config/index.ts'
import { createKeyStore } from '../../lib/crypto/index.ts'
import { keySigner } from '../../lib/did/index.ts'
import {
  type CapabilityContext,
  createCapabilityContext,
  createCapabilityStore
} from '../../lib/ucan/index.ts'
import type { Did } from '../../types/index.ts'
import { errorMessage, NuError } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'
import { CommandError } from '../cli/errors.ts'
import { oneLine } from '../cli/printable.ts'
import { userPaths } from './paths.ts'

export interface Identity {
  readonly did: Did
  readonly context: CapabilityContext
}

/** Opens key and context. @throws CommandError `could not create security context: …` with the reason. */
export async function openIdentity(
  cli: Cli,
  config: Config,
  name: string,
  passphrase: string
): Promise<Identity> {
  const paths = userPaths(config)
  try {
    const keys = createKeyStore(cli, { directory: paths.keys })
    const store = createCapabilityStore(cli, { directory: paths.capabilities })
    const startedMs = cli.clock.monotonicMs()
    const [key, file] = await Promise.all([
      keys.open(name, passphrase, { signal: cli.signal }),
      store.load(name)
    ])
    if (config.general.debug) {
      cli.terminal.err(`debug: key derived in ${(cli.clock.monotonicMs() - startedMs).toFixed(1)} ms\n`)
    }
    if (file === undefined) {
      throw new CommandError(`there is no capability context '${name}'`, {
        hint: `make one with 'nunet cap new ${name}'`
      })
    }
    const signer = keySigner(key)
    if (file.did !== signer.did) {
      throw new CommandError(
        `capability context '${name}' belongs to ${file.did}, but key '${name}' is ${signer.did}`,
        {
          hint: `restore the key, or start anew with 'nunet cap new --force ${name}'`
        }
      )
    }
    const { context, problems } = createCapabilityContext(
      { clock: cli.clock, random: cli.random, owner: signer.did, signer },
      file
    )
    for (const problem of problems)
      cli.terminal.err(`warning: in context '${name}': ${oneLine(problem.message)}\n`)
    return { did: signer.did, context }
  } catch (cause) {
    cli.signal.throwIfAborted()
    throw new CommandError(`could not create security context: ${errorMessage(cause)}`, {
      cause,
      ...(cause instanceof NuError && cause.hint !== undefined ? { hint: cause.hint } : {})
    })
  }
}
