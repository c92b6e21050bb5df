import type { CapabilityContext } from '../../lib/ucan/index.ts'
import { formatTokenList } from '../../lib/ucan/index.ts'
import type { Clock } from '../../types/index.ts'
import { deadline, raceSignal, utf8ToBytes } from '../../utils/index.ts'
import { LOOKUP_LIMIT_MS, MAX_PROOFS_LOOKED_UP } from './constants.ts'
import type { Named } from './judge.ts'
import type { Offer } from './types.ts'

interface LookUpDeps {
  readonly context: Pick<CapabilityContext, 'lookUp' | 'lookupsFor'>
  readonly clock: Clock
}

/**
 * Looks up keys of issuers that are not in their DIDs, so that a revocation is not refused for want of a key and what it
 * revokes accepted until the next one asks. Only keys of DIDs that the anchors name, and those a message with the proof
 * would have looked up: a stranger makes nobody call out. What cannot be found shows when the offers are verified.
 */
export async function lookUpKeys(offers: readonly Offer[], named: Named, deps: LookUpDeps): Promise<void> {
  using limit = deadline(deps.clock, LOOKUP_LIMIT_MS, 'looking up keys of revocations')
  // What was found in time counts, the rest comes again.
  await raceSignal(lookUpAll(offers, named, deps.context, limit), limit.signal).catch(() => undefined)
}

async function lookUpAll(
  offers: readonly Offer[],
  named: Named,
  context: LookUpDeps['context'],
  limit: { readonly signal: AbortSignal }
): Promise<void> {
  const ofNamed = offers
    .map(({ revocation }) => revocation)
    .filter(({ issuer, chain }) => chain === undefined && named.all.has(issuer))
  await context.lookUp(ofNamed, limit)
  let left = MAX_PROOFS_LOOKED_UP
  for (const { proof } of offers) {
    const lookUp = proof && context.lookupsFor(utf8ToBytes(formatTokenList([proof])))
    if (lookUp === undefined) continue
    if (left-- === 0) return
    await lookUp(limit)
  }
}
