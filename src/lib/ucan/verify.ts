/**
 * Verification of a token chain (identity-and-actors §6.1, §6.2). All rules that cost nothing are checked over the
 * whole chain first, in the order of §6.1; signatures come last, root first, so a chain that breaks a rule never
 * costs a signature check. The verdict is that of §6.1; where a chain breaks several rules the first one named may
 * differ.
 *
 * Stricter than existing verifiers, without effect on what they issue: an empty capability or topic is refused, and
 * audience and topics are compared even when the capability list is empty.
 *
 * | code | rule |
 * | --- | --- |
 * | `UCAN_CHAIN_TOO_LONG` | the chain has at most `MAX_CHAIN_LENGTH` tokens |
 * | `UCAN_EXPIRED` | neither the token nor an ancestor has expired |
 * | `UCAN_DEPTH` | a token stands no deeper than its depth allows |
 * | `UCAN_REVOKED` | no token of the chain is revoked |
 * | `UCAN_CHAIN_ACTION` | a parent's action is `delegate` |
 * | `UCAN_CHAIN_EXPIRY` | a parent does not expire before its child |
 * | `UCAN_CHAIN_ISSUER` | a token is issued by the subject of its parent |
 * | `UCAN_AUDIENCE_WIDENED` | a parent's audience stays |
 * | `UCAN_TOPIC_WIDENED`, `UCAN_CAPABILITY_WIDENED` | each name is implied by one of the parent |
 * | `UCAN_EMPTY_CAPABILITY` | no name is empty |
 * | `UCAN_ISSUER_KEY` | the issuer's key is known |
 * | `UCAN_SIGNATURE` | the issuer's signature is there and good |
 */

import type { Did, Refusal, Result } from '../../types/index.ts'
import { errorMessage, ok, refuse } from '../../utils/index.ts'
import type { PublicKey } from '../crypto/index.ts'
import { publicKeyOfDid } from '../did/index.ts'
import { anyImplies } from './capability.ts'
import { chainExpiry, chainOf } from './chain.ts'
import { MAX_CHAIN_LENGTH } from './constants.ts'
import { listed, quoted, shortDid, timeOf, tokenRefusal } from './describe.ts'
import { formatTokenOn, signingBytes } from './token-json.ts'
import type { Token } from './types.ts'
import type { VerifiedChains } from './verified-chains.ts'

/** What a verdict depends on beside the token itself. */
export interface VerifyOptions {
  readonly nowNs: bigint
  /** Whether this very token (not its ancestors) was revoked. Default: nothing is. */
  readonly isRevoked?: ((token: Token) => boolean) | undefined
  /** Finds the key of an issuer; may throw. Default: the key inside a `did:key`. */
  readonly keyOf?: ((did: Did) => PublicKey) | undefined
  /** Chains whose signatures need no second look. */
  readonly verified?: VerifiedChains | undefined
}

/** Whether the token and its whole chain are valid now. Says nothing about trust in their root. */
export function verifyToken(token: Token, options: VerifyOptions): Result<void> {
  const chain = chainOf(token)
  const broken = checkRules(token, chain, options) ?? checkSignatures(token, chain, options)
  return broken === undefined ? ok(undefined) : refuse(broken)
}

function checkRules(leaf: Token, chain: readonly Token[], options: VerifyOptions): Refusal | undefined {
  if (chain.length > MAX_CHAIN_LENGTH) {
    return tokenRefusal(
      'UCAN_CHAIN_TOO_LONG',
      leaf,
      0,
      `has more than ${MAX_CHAIN_LENGTH} tokens in its chain`
    )
  }
  const expired = checkExpiry(leaf, chain, options.nowNs)
  if (expired !== undefined || leaf.action === 'revoke') return expired
  for (const [position, token] of chain.entries()) {
    const broken =
      checkToken(leaf, token, position, options) ??
      (token.chain && checkLink(leaf, token, token.chain, position))
    if (broken !== undefined) return broken
  }
  return undefined
}

function checkExpiry(leaf: Token, chain: readonly Token[], nowNs: bigint): Refusal | undefined {
  const position = chain.findIndex(token => nowNs > token.expiresAtNs)
  const token = chain[position]
  if (token === undefined) return undefined
  return tokenRefusal('UCAN_EXPIRED', leaf, position, `expired at ${timeOf(token.expiresAtNs)}`, {
    expiresAtNs: String(token.expiresAtNs),
    nowNs: String(nowNs)
  })
}

/** Rules of one token by itself. */
function checkToken(
  leaf: Token,
  token: Token,
  position: number,
  options: VerifyOptions
): Refusal | undefined {
  if (token.depth > 0n && BigInt(position) > token.depth) {
    const reason = `stands ${position} steps from the leaf; its depth allows ${token.depth}`
    return tokenRefusal('UCAN_DEPTH', leaf, position, reason, { asked: position, held: String(token.depth) })
  }
  if (options.isRevoked?.(token))
    return tokenRefusal('UCAN_REVOKED', leaf, position, 'was revoked by its issuer')
  if (token.capabilities?.includes('') || token.topics.includes('')) {
    return tokenRefusal(
      'UCAN_EMPTY_CAPABILITY',
      leaf,
      position,
      'carries an empty name, which would stand for everything'
    )
  }
  return undefined
}

/** Rules between a token and the parent it builds on (§6.1 rules 6, 7, 9 and §6.2). */
function checkLink(leaf: Token, token: Token, parent: Token, position: number): Refusal | undefined {
  const say = (code: string, reason: string, asked: unknown, held: unknown): Refusal =>
    tokenRefusal(code, leaf, position, reason, { asked, held })
  if (parent.action !== 'delegate') {
    const reason = `builds on a token with the action ${quoted(parent.action)}; only 'delegate' can be built on`
    return say('UCAN_CHAIN_ACTION', reason, 'delegate', parent.action)
  }
  const limit = chainExpiry(parent)
  if (limit < token.expiresAtNs) {
    const reason = `ends at ${timeOf(token.expiresAtNs)}, after its chain at ${timeOf(limit)}`
    return say('UCAN_CHAIN_EXPIRY', reason, String(token.expiresAtNs), String(limit))
  }
  if (token.issuer !== parent.subject) {
    const reason = `is not issued by ${shortDid(parent.subject)}, to whom its parent was given`
    return say('UCAN_CHAIN_ISSUER', reason, token.issuer, parent.subject)
  }
  return checkNarrowing(token, parent, say)
}

function checkNarrowing(
  token: Token,
  parent: Token,
  say: (code: string, reason: string, asked: unknown, held: unknown) => Refusal
): Refusal | undefined {
  if (parent.audience !== undefined && token.audience !== parent.audience) {
    const reason = `is for ${shortDid(token.audience)}; its parent is only for ${shortDid(parent.audience)}`
    return say('UCAN_AUDIENCE_WIDENED', reason, token.audience ?? null, parent.audience)
  }
  const topic = token.topics.find(name => !anyImplies(parent.topics, name))
  if (topic !== undefined) {
    const reason = `asks for the topic ${listed([topic])}; its parent holds ${listed(parent.topics)}`
    return say('UCAN_TOPIC_WIDENED', reason, topic, parent.topics)
  }
  const held = parent.capabilities ?? []
  const capability = token.capabilities?.find(name => !anyImplies(held, name))
  if (capability !== undefined) {
    const reason = `asks for ${listed([capability])}; its parent holds ${listed(held)}`
    return say('UCAN_CAPABILITY_WIDENED', reason, capability, held)
  }
  return undefined
}

/** Signatures from the root to the leaf. Of a revocation only its own counts (§6.1 rule 3). */
function checkSignatures(leaf: Token, chain: readonly Token[], options: VerifyOptions): Refusal | undefined {
  const keyOf = options.keyOf ?? publicKeyOfDid
  const links = linksOf(chain)
  const first = leaf.action === 'revoke' ? links.length - 1 : firstToCheck(links, options)
  // A key that was looked up may be replaced, so what it signed is checked each time; a key in its DID cannot.
  let lasts = true
  const good: Link[] = []
  for (const link of links.slice(first)) {
    const { token, position, parentText } = link
    const broken = checkSignature(leaf, token, position, parentText, keyOf)
    if (broken !== undefined) return broken
    lasts &&= token.issuer.startsWith('did:key:')
    if (position > 0 && lasts) good.push(link)
  }
  // Nothing of a chain that is broken anywhere: anybody can put a forged link on links of their own.
  for (const { text, token } of good) options.verified?.add(text, chainExpiry(token))
  return undefined
}

/**
 * The links behind the nearest ancestor that is remembered, which vouches for all before it; all links when none is.
 * The leaf is new in every message, so it is neither looked up nor remembered.
 */
function firstToCheck(links: readonly Link[], { verified, nowNs }: VerifyOptions): number {
  if (verified === undefined) return 0
  return links.findLastIndex(({ position, text }) => position > 0 && verified.has(text, nowNs)) + 1
}

/** A token of a chain with its text. */
interface Link {
  readonly token: Token
  readonly position: number
  readonly text: string
  readonly parentText: string | undefined
}

/** The links from the root to the leaf, so that each is printed once. */
function linksOf(chain: readonly Token[]): Link[] {
  const links: Link[] = []
  let parentText: string | undefined
  for (const token of chain.toReversed()) {
    const text = formatTokenOn(token, parentText)
    links.push({ token, position: chain.length - 1 - links.length, text, parentText })
    parentText = text
  }
  return links
}

function checkSignature(
  leaf: Token,
  token: Token,
  position: number,
  parentText: string | undefined,
  keyOf: (did: Did) => PublicKey
): Refusal | undefined {
  let key: PublicKey
  try {
    key = keyOf(token.issuer)
  } catch (error) {
    return tokenRefusal(
      'UCAN_ISSUER_KEY',
      leaf,
      position,
      `has an issuer without usable key: ${errorMessage(error)}`
    )
  }
  if (token.signature === undefined) return tokenRefusal('UCAN_SIGNATURE', leaf, position, 'is not signed')
  if (key.verify(signingBytes(token, parentText), token.signature)) return undefined
  return tokenRefusal(
    'UCAN_SIGNATURE',
    leaf,
    position,
    `does not carry a good signature of ${shortDid(token.issuer)}`
  )
}
