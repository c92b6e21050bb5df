import type { Config } from '../config/index.ts'
import type { PublicKey } from '../lib/crypto/index.ts'
import { createDidResolver, prismDocuments } from '../lib/did/index.ts'
import type { KeyLookup } from '../lib/ucan/index.ts'
import type { Clock, Did } from '../types/index.ts'
import { httpExchange } from '../utils/index.ts'

/** How the node finds keys of issuers: in a `did:key` itself, and at the PRISM resolver its owner named. The signal ends what runs. */
export function didKeys(deps: { clock: Clock; signal: AbortSignal }, config: Pick<Config, 'did'>): KeyLookup {
  const base = config.did.prism_resolver
  const fetchDocument = base === '' ? undefined : prismDocuments(httpExchange, base)
  const resolver = createDidResolver({ ...deps, fetchDocument })
  const keyOf = (did: Did): PublicKey => resolver.keyOf(did)
  // Without one, messages of PRISM issuers are refused at once instead of waiting for nothing.
  if (fetchDocument === undefined) return { keyOf }
  return { keyOf, resolveKey: (did, options) => resolver.resolve(did, options) }
}
