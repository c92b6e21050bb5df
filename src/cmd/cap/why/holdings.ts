import {
  type CapabilityContextDeps,
  type CapabilityFile,
  createCapabilityContext,
  revocationKey,
  type Token
} from '../../../lib/ucan/index.ts'
import type { Did, RandomSource } from '../../../types/index.ts'
import type { Holdings } from './types.ts'

/** What the answer is worked out with: one instant, so that nothing expires in the middle of it. */
export interface Circumstances {
  readonly nowNs: bigint
  readonly random: RandomSource
  readonly keyOf?: CapabilityContextDeps['keyOf']
}

/**
 * The anchors of a file. Tokens that do not verify for good are left out; those that have expired or were revoked
 * stay, since they are what a mending starts from.
 */
export function readHoldings(file: CapabilityFile, { nowNs, random, keyOf }: Circumstances): Holdings {
  const owner = file.did
  const open = (atNs: bigint, part: CapabilityFile) =>
    createCapabilityContext({ clock: { nowNs: () => atNs }, random, owner, keyOf }, part).context.anchors
  // Before anything has expired, and as if nothing had been revoked.
  const { require, provide, roots } = open(0n, { ...file, revoke: [] })
  const { revoke } = open(nowNs, { ...file, roots: [], require: [], provide: [] })
  const revoked = new Set(revoke.map(revocationKey))
  return {
    owner,
    roots: new Set(roots),
    require: groupBySubject(require),
    provide,
    isRevoked: token => revoked.has(revocationKey(token))
  }
}

function groupBySubject(tokens: readonly Token[]): Map<Did, Token[]> {
  const groups = new Map<Did, Token[]>()
  for (const token of tokens) {
    const group = groups.get(token.subject)
    if (group === undefined) groups.set(token.subject, [token])
    else group.push(token)
  }
  return groups
}
