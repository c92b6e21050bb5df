/** Questions about one token and its ancestors (identity-and-actors §5.5). */

import type { Did } from '../../types/index.ts'
import { bytesToHex } from '../../utils/index.ts'
import type { Token } from './types.ts'

/** The token and its ancestors, leaf first: the index is the position of §6.3. */
export function chainOf(token: Token): Token[] {
  const links: Token[] = []
  for (let link: Token | undefined = token; link !== undefined; link = link.chain) links.push(link)
  return links
}

/** When the first of the token and its ancestors expires. The token is good up to and including that time. */
export function chainExpiry(token: Token): bigint {
  let earliest = token.expiresAtNs
  for (let link = token.chain; link !== undefined; link = link.chain) {
    if (link.expiresAtNs < earliest) earliest = link.expiresAtNs
  }
  return earliest
}

/** Each issuer of the chain with the deepest position at which it stands; the leaf's issuer is at 0 (§7.3). */
export function issuersOf(token: Token): Map<Did, bigint> {
  const positions = new Map<Did, bigint>()
  let position = 0n
  for (let link: Token | undefined = token; link !== undefined; link = link.chain)
    positions.set(link.issuer, position++)
  return positions
}

const NO_BYTES = new Uint8Array()

/** What a revocation matches by (§5.5): issuer, subject and nonce. */
export function revocationKey(token: Token): string {
  return `${token.issuer}#${token.subject}#${bytesToHex(token.nonce ?? NO_BYTES)}`
}

/**
 * Whether each token of the chain may stand `steps` positions deeper than now (§6.3): 1 to be invoked on,
 * 2 to be delegated on.
 */
export function toleratesDepth(token: Token, steps: bigint): boolean {
  let position = steps
  for (let link: Token | undefined = token; link !== undefined; link = link.chain, position++) {
    if (link.depth > 0n && position > link.depth) return false
  }
  return true
}
