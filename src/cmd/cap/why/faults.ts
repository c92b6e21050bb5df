/**
 * Everything a chain and a require anchor lack for a question, rule by rule. The verdict itself comes from the library
 * (`verdict.ts`), which stops at the first broken rule; what would mend a chain needs all of them. A property test
 * compares the two.
 */

import {
  type Capability,
  chainExpiry,
  chainOf,
  impliesCapability,
  type Token
} from '../../../lib/ucan/index.ts'
import type { Did } from '../../../types/index.ts'
import { listNames, shortDid, showTime } from '../words.ts'
import type { Admission, Fault, Holdings, Link, Question, Rule } from './types.ts'

/** The delegations behind a message whose token stands at position 0, so the first of them stands at 1 (§6.3). */
export function linksOf(
  parent: Token,
  question: Question,
  sender: Holdings,
  receiver: Holdings | undefined
): Link[] {
  return chainOf(parent).map((token, index) => ({
    token,
    faults: [
      ...expiryFaults(token.expiresAtNs, question),
      ...revocationFaults(token, sender, receiver),
      ...grantFaults(token, question, wantedAudience(question)),
      ...depthFaults(token, BigInt(index + 1))
    ]
  }))
}

/** How the receiver takes a message whose chain has these delegations; the nearest require anchor when none covers it. */
export function admissionOf(
  delegations: readonly Pick<Token, 'issuer'>[],
  question: Question,
  receiver: Holdings
): Admission {
  // The deepest position of an issuer counts (§7.3).
  const positions = new Map<Did, bigint>([[question.sender, 0n]])
  for (const [index, { issuer }] of delegations.entries()) positions.set(issuer, BigInt(index + 1))
  for (const did of positions.keys()) if (did === receiver.owner) return { by: 'owner', did }
  for (const did of positions.keys()) if (receiver.roots.has(did)) return { by: 'root', did }
  let nearest: (Admission & { by: 'require' }) | undefined
  for (const [did, position] of positions) {
    for (const token of receiver.require.get(did) ?? []) {
      const faults = anchorFaults(token, question, receiver, position)
      if (nearest === undefined || faults.length < nearest.anchor.faults.length)
        nearest = { by: 'require', did, anchor: { token, faults } }
    }
  }
  return nearest ?? { by: 'nothing' }
}

function anchorFaults(anchor: Token, question: Question, receiver: Holdings, position: bigint): Fault[] {
  const revoked = chainOf(anchor).some(token => receiver.isRevoked(token))
  return [
    ...expiryFaults(chainExpiry(anchor), question),
    ...(revoked ? [fault('revoked', 'was revoked')] : []),
    ...grantFaults(anchor, question, wantedAudience(question)),
    ...depthFaults(anchor, position)
  ]
}

/** The audience of the message's own token: the receiver, or nobody in particular in a broadcast (§6.4). */
export function wantedAudience(question: Question): Did | undefined {
  return question.topic === undefined ? question.receiver : undefined
}

function fault(rule: Rule, text: string): Fault {
  return { rule, text }
}

function expiryFaults(endNs: bigint, { nowNs, expiresAtNs }: Question): Fault[] {
  if (endNs >= expiresAtNs) return []
  const text =
    endNs < nowNs
      ? `expired at ${showTime(endNs)}`
      : `ends at ${showTime(endNs)}, before the message does at ${showTime(expiresAtNs)}`
  return [fault('expired', text)]
}

function revocationFaults(token: Token, sender: Holdings, receiver: Holdings | undefined): Fault[] {
  const here = sender.isRevoked(token)
  if (!here && receiver?.isRevoked(token) !== true) return []
  return [
    fault('revoked', here ? 'was revoked by its issuer' : 'was revoked by its issuer, as the receiver knows')
  ]
}

/** What the names and the audience of a token do not cover. */
function grantFaults(token: Token, question: Question, audience: Did | undefined): Fault[] {
  const faults: Fault[] = []
  const held = token.capabilities ?? []
  if (!implied(held, question.behavior))
    faults.push(fault('capability', `covers ${listNames(held)}, not ${listNames([question.behavior])}`))
  if (question.topic !== undefined && !implied(token.topics, question.topic)) {
    const text = `covers the topics ${listNames(token.topics)}, not ${listNames([question.topic])}`
    faults.push(fault('topic', text))
  }
  if (token.audience !== undefined && token.audience !== audience) {
    const use = question.topic === undefined ? '' : '; a broadcast must be for anyone'
    faults.push(fault('audience', `is only for ${shortDid(token.audience)}${use}`))
  }
  return faults
}

function depthFaults(token: Token, position: bigint): Fault[] {
  if (token.depth === 0n || position <= token.depth) return []
  const steps = position === 1n ? '1 step' : `${position} steps`
  return [fault('depth', `is ${steps} from the message; its depth allows ${token.depth}`)]
}

function implied(held: readonly Capability[], asked: Capability): boolean {
  return held.some(name => impliesCapability(name, asked))
}
