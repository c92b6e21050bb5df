/** Prepares a context for the rules of `cap lint`: verdicts of all its tokens, made once. */

import { publicKeyOfDid } from '../../../lib/did/index.ts'
import {
  type CapabilityFile,
  type KeyLookup,
  revocationKey,
  type Token,
  VerifiedChains,
  verifyToken
} from '../../../lib/ucan/index.ts'
import type { Did, Result } from '../../../types/index.ts'
import type { Chart, Entry, Limits } from './types.ts'

/** What is the same for all contexts of one run. */
export interface Surroundings extends Pick<KeyLookup, 'keyOf'> {
  readonly nowNs: bigint
  readonly limits: Limits
  readonly names: ReadonlyMap<Did, string>
  readonly trusted: ReadonlySet<Did>
}

/** A revocation counts when it verifies, as it does when the file is loaded. */
export function chartOf(name: string, file: CapabilityFile, surroundings: Surroundings): Chart {
  const { nowNs, keyOf = publicKeyOfDid } = surroundings
  const verified = new VerifiedChains()
  const revocations = file.revoke.map(token => ({ token, verdict: verifyToken(token, { nowNs, keyOf }) }))
  const revoked = new Set(
    revocations
      .filter(({ token, verdict }) => verdict.ok && token.action === 'revoke')
      .map(({ token }) => revocationKey(token))
  )
  const isRevoked = (link: Token): boolean => revoked.has(revocationKey(link))
  const entryOf = (list: Entry['list'], token: Token): Entry => {
    const verdict = verifyToken(token, { nowNs, isRevoked, keyOf, verified })
    const isUsable = token.action === 'delegate' && (list === 'require' || token.subject === file.did)
    return { list, token, verdict, isLive: verdict.ok && isUsable }
  }
  return {
    ...surroundings,
    name,
    file,
    entries: [
      ...file.require.map(token => entryOf('require', token)),
      ...file.provide.map(token => entryOf('provide', token))
    ],
    badRevocations: revocations.filter(({ verdict }) => isBroken(verdict)),
    hasKey: did => canResolve(did, keyOf)
  }
}

/** One that has expired is no trouble: what it took back has ended as well (identity-and-actors §6.5). */
function isBroken(verdict: Result<void>): boolean {
  return !verdict.ok && verdict.error.code !== 'UCAN_EXPIRED'
}

function canResolve(did: Did, keyOf: (did: Did) => unknown): boolean {
  try {
    keyOf(did)
    return true
  } catch {
    return false
  }
}
