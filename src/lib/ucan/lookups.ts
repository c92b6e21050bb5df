/**
 * Which issuers' keys must be looked up before tokens can be verified, and the looking up (identity-and-actors §2.3, §2.7).
 *
 * A message must not make us call out for a stranger. So a key is looked up only when the token would be admitted by our
 * anchors and everything about it that can be checked without the key is right: every rule, and the signature of every
 * issuer whose key is known. What remains unknown was then named by someone we trust, or is someone we trust. Those we
 * trust come first, then one issuer after another from the root of the chain, because until an issuer's own signature
 * is checked the rest of the chain is anybody's word.
 */

import type { AbortOptions, Did } from '../../types/index.ts'
import { bytesToUtf8 } from '../../utils/index.ts'
import type { PublicKey } from '../crypto/index.ts'
import { publicKeyOfDid, type Signer } from '../did/index.ts'
import { checkAdmission } from './admission.ts'
import { chainOf } from './chain.ts'
import { MAX_BLOB_LENGTH, MAX_TOKENS_IN_BLOB } from './constants.ts'
import { parseTokenList, reading } from './token-json.ts'
import type { TrustAnchors } from './trust.ts'
import type { Token } from './types.ts'

/** How keys are found. */
export interface KeyLookup {
  /** Default: the key inside a `did:key`. */
  readonly keyOf?: ((did: Did) => PublicKey) | undefined
  /** Looks a key up, so that `keyOf` has it. Without it nothing is looked up. */
  readonly resolveKey?: ((did: Did, options: AbortOptions) => Promise<unknown>) | undefined
}

/** Look-ups for one message: a chain of an organisation with several PRISM members needs two or three. */
const MAX_LOOKUPS = 8

/** Look-ups at once for tokens a person gave. */
const BATCH = 16

/** How a DID whose key is not in it appears in a message. One written in JSON escapes is not looked up and so refused. */
const LOOKED_UP = 'did:prism:'

/** Passes for the keys that are not known yet. Never given to anything that decides or remembers. */
const UNKNOWN_KEY: PublicKey = { type: 'Ed25519', raw: new Uint8Array(), verify: () => true }

/** What is to be done before the tokens of a message are consumed; `undefined` when nothing is to be waited for. */
export function lookupsForMessage(
  blob: Uint8Array,
  trust: TrustAnchors,
  lookup: KeyLookup
): ((options?: AbortOptions) => Promise<void>) | undefined {
  const { resolveKey } = lookup
  if (resolveKey === undefined || blob.length > MAX_BLOB_LENGTH) return undefined
  if (!Buffer.from(blob.buffer, blob.byteOffset, blob.length).includes(LOOKED_UP)) return undefined
  const text = reading(() => bytesToUtf8(blob))
  const parsed = text.ok ? parseTokenList(text.value, MAX_BLOB_LENGTH) : text
  if (!parsed.ok || parsed.value.length > MAX_TOKENS_IN_BLOB) return undefined // `consume` will say why not
  const tokens = parsed.value
  const next = (): Did[] => [...new Set(tokens.flatMap(token => wantedIssuers(token, trust, lookup)))]
  if (next().length === 0) return undefined
  return async (options = {}) => {
    const tried = new Set<Did>()
    for (;;) {
      const wanted = next()
        .filter(did => !tried.has(did))
        .slice(0, MAX_LOOKUPS - tried.size)
      if (wanted.length === 0) return
      for (const did of wanted) tried.add(did)
      await settle(wanted, resolveKey, options)
    }
  }
}

/** The same, and the own key of a signer whose DID does not hold it: that is known whether it is published or not. */
export function withOwnKey(lookup: KeyLookup, { did: own, publicKey }: Signer): KeyLookup {
  const { keyOf = publicKeyOfDid } = lookup
  return publicKey === undefined
    ? lookup
    : { ...lookup, keyOf: did => (did === own ? publicKey : keyOf(did)) }
}

/** Looks up every issuer of the chains, for tokens a person gave. What fails shows when the tokens are verified. */
export async function lookUpIssuers(
  tokens: readonly Token[],
  lookup: KeyLookup,
  options: AbortOptions = {}
): Promise<void> {
  const { resolveKey } = lookup
  if (resolveKey === undefined) return
  const issuers = new Set(tokens.flatMap(token => unknownIssuers(token, lookup)))
  const wanted = [...issuers]
  for (let at = 0; at < wanted.length; at += BATCH)
    await settle(wanted.slice(at, at + BATCH), resolveKey, options)
}

/** Resolves when each was looked up or could not be. @throws the signal's reason */
async function settle(
  dids: readonly Did[],
  resolveKey: NonNullable<KeyLookup['resolveKey']>,
  options: AbortOptions
): Promise<void> {
  await Promise.allSettled(dids.map(did => resolveKey(did, options)))
  options.signal?.throwIfAborted()
}

/** Nearest to the root of the chain first. */
function unknownIssuers(token: Token, lookup: KeyLookup): Did[] {
  const issuers = new Set(
    chainOf(token)
      .map(link => link.issuer)
      .reverse()
  )
  return [...issuers].filter(did => knownKey(did, lookup) === undefined)
}

function wantedIssuers(token: Token, trust: TrustAnchors, lookup: KeyLookup): Did[] {
  if (token.action === 'revoke') return [] // its chain is not verified, and no message is let in by it
  const unknown = unknownIssuers(token, lookup)
  if (unknown.length === 0 || checkAdmission(token, trust) !== undefined) return []
  if (!trust.verifyWith(token, did => knownKey(did, lookup) ?? UNKNOWN_KEY).ok) return []
  const trusted = unknown.filter(
    did => trust.isTrustedFully(did) || trust.requireIndex.some(did, 1).length > 0
  )
  return trusted.length > 0 ? trusted : unknown.slice(0, 1)
}

function knownKey(did: Did, { keyOf = publicKeyOfDid }: KeyLookup): PublicKey | undefined {
  try {
    return keyOf(did)
  } catch {
    return undefined
  }
}
