/** Keys of issuers for commands that verify tokens: in a `did:key` itself, or looked up where a resolver is configured. */

import type { Config } from '../../config/index.ts'
import { createDidResolver, prismDocuments, type Signer } from '../../lib/did/index.ts'
import {
  type CapabilityFile,
  createCapabilityContext,
  type KeyLookup,
  type LoadedContext,
  lookUpIssuers,
  withOwnKey
} from '../../lib/ucan/index.ts'
import type { Did } from '../../types/index.ts'
import { httpExchange } from '../../utils/index.ts'
import type { Cli } from '../cli/command.ts'

/** How one command finds keys. Make one and use it for everything the command verifies: it remembers. */
export function keyLookup(
  cli: Pick<Cli, 'clock' | 'signal'>,
  config: Pick<Config, 'did'>,
  signer?: Signer
): KeyLookup {
  const base = config.did.prism_resolver
  const fetchDocument = base === '' ? undefined : prismDocuments(httpExchange, base)
  const resolver = createDidResolver({ clock: cli.clock, signal: cli.signal, fetchDocument })
  const lookup: KeyLookup = {
    keyOf: did => resolver.keyOf(did),
    resolveKey: (did, options) => resolver.resolve(did, options)
  }
  return signer === undefined ? lookup : withOwnKey(lookup, signer)
}

/** Opens a context from its file once the keys of its issuers are looked up. Without signer it verifies but cannot issue. */
export async function openContext(
  cli: Pick<Cli, 'clock' | 'random' | 'signal'>,
  lookup: KeyLookup,
  { owner, signer }: { readonly owner: Did; readonly signer?: Signer | undefined },
  file: CapabilityFile
): Promise<LoadedContext> {
  const tokens = [...file.revoke, ...file.require, ...file.provide]
  await lookUpIssuers(tokens, lookup, { signal: cli.signal })
  return createCapabilityContext({ clock: cli.clock, random: cli.random, owner, signer, ...lookup }, file)
}
