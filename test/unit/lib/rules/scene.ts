/** The people of the rules about contexts, and short ways to let them act. */

import {
  type CapabilityContext,
  type ConsumedTokens,
  formatTokenList,
  type Token
} from '../../../../src/lib/ucan/index.ts'
import { utf8ToBytes } from '../../../../src/utils/index.ts'
import { HOUR_NS, type Identity, identity, NOW_NS, party, token } from '../parties.ts'
import { codesOf, type Outcome } from './rule.ts'

export const [owner, network, member, guest, actor] = [
  identity('owner'),
  identity('network'),
  identity('member'),
  identity('guest'),
  identity('actor')
]
export const SOON_NS = NOW_NS + HOUR_NS / 2n
export const HELLO = '/public/hello'

export type Fields = Partial<Token>

/** An invocation by the member's actor on the owner. */
export function invocation(fields: Fields = {}, issuer: Identity = member): Token {
  return token(issuer, {
    action: 'invoke',
    subject: actor.did,
    audience: owner.did,
    capabilities: [HELLO],
    expiresAtNs: SOON_NS,
    ...fields
  })
}

export function broadcastToken(fields: Fields = {}): Token {
  return token(member, {
    action: 'broadcast',
    subject: actor.did,
    topics: ['/nunet'],
    capabilities: [HELLO],
    expiresAtNs: SOON_NS,
    ...fields
  })
}

export function context(): CapabilityContext {
  return party('owner').context
}

/** A context in which the member is a root. */
export function trusting(): CapabilityContext {
  const made = context()
  made.anchors.addRoot(member.did)
  return made
}

export function consume(
  by: CapabilityContext,
  tokens: readonly Token[],
  origin = member.did
): ConsumedTokens {
  const taken = by.consume(origin, utf8ToBytes(formatTokenList(tokens)))
  if (!taken.ok) throw new Error(taken.error.message)
  return taken.value
}

export function invoke(
  by: CapabilityContext,
  tokens: readonly Token[],
  asked: readonly string[] = [HELLO],
  origin = member.did
): Outcome {
  const question = { origin, subject: actor.did, audience: owner.did, capabilities: asked }
  return codesOf(by.authorizeInvocation(question, consume(by, tokens, origin)))
}

export function broadcast(by: CapabilityContext, tokens: readonly Token[]): Outcome {
  const question = { origin: member.did, subject: actor.did, topic: '/nunet/hello', capabilities: [HELLO] }
  return codesOf(by.authorizeBroadcast(question, consume(by, tokens)))
}

/** The verdict on a member's invocation where the owner has one require anchor for the network. */
export function throughAnchor(anchor: Fields, leaf: Fields = {}, membership: Fields = {}): Outcome {
  const by = context()
  const require = token(owner, { subject: network.did, capabilities: ['/public'], ...anchor })
  const added = by.anchors.addRequire([require])
  if (!added.ok) return codesOf(added)
  const chain = token(network, { subject: member.did, capabilities: ['/'], topics: ['/'], ...membership })
  return invoke(by, [invocation({ chain, ...leaf })])
}
