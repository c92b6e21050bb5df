/**
 * Finding the proof for an invocation among many anchors: on the side of the sender the whole of `provideInvocation`
 * (which provide anchor backs it, and making the tokens), on the side of the receiver the whole of
 * `authorizeInvocation` (which require anchor admits it). Signatures cost nothing here, they are measured elsewhere.
 * Each anchor is of another issuer and grants something else; the one that fits was added last. The cost must not grow
 * with the others.
 */

import type { PublicKey } from '../../src/lib/crypto/index.ts'
import { parseDid } from '../../src/lib/did/index.ts'
import {
  type CapabilityContext,
  createCapabilityContext,
  formatTokenList,
  type Token
} from '../../src/lib/ucan/index.ts'
import type { Did } from '../../src/types/index.ts'
import { systemClock as clock, systemRandom as random } from '../../src/utils/index.ts'
import { HOUR_NS, makeParty, read } from './chains.ts'
import { formatUs, median, type Row } from './measure.ts'

const SIZES = [100, 10_000, 50_000]
const TARGET_US = 50
/** What the largest context may cost more than the smallest; caches of the CPU are no part of the promise. */
const MAX_GROWTH = 2
const CAPABILITY = '/dms/deployment/request'
const BATCH = 100
const ROUNDS = 31
const WARM_UP = 30

const [owner, receiver, actor] = [makeParty().did, makeParty().did, makeParty().did]

/** Says yes at once: what is timed is the search. */
const TRUSTING: PublicKey = { type: 'Ed25519', raw: new Uint8Array(32), verify: () => true }
const SIGNATURE = new Uint8Array(64)

export async function benchAnchors(): Promise<Row[]> {
  return [
    row('find the proof for an invocation, make its tokens', await costs(SIZES.map(sendingWith))),
    row('find the anchor that admits an invocation', await costs(SIZES.map(receivingWith)))
  ]
}

function row(what: string, us: readonly number[]): Row {
  const [small = 0, middle = 0, large = 0] = us
  const growth = large / small
  return {
    what: `${what}: ${SIZES[1]} anchors`,
    ours: formatUs(middle),
    against: `${SIZES[0]}: ${formatUs(small)}, ${SIZES[2]}: ${formatUs(large)}`,
    ratio: `${growth.toFixed(2)} × from ${SIZES[0]} to ${SIZES[2]}`,
    target: `≤ ${TARGET_US} µs, flat`,
    isMet: middle <= TARGET_US && growth <= MAX_GROWTH
  }
}

/** µs a call of each, in small turns, the median over the rounds. */
async function costs(things: readonly (() => unknown)[]): Promise<number[]> {
  const seen: number[][] = things.map(() => [])
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const [index, run] of things.entries()) {
      const started = performance.now()
      for (let call = 0; call < BATCH; call++) await run()
      if (round >= 0) seen[index]?.push(((performance.now() - started) * 1000) / BATCH)
    }
  }
  return seen.map(median)
}

/** Making a message's tokens when `size` provide anchors are held. */
function sendingWith(size: number): () => Promise<unknown> {
  const context = contextOf(owner)
  read(context.anchors.addProvide(anchors(size, owner)))
  const request = {
    target: receiver,
    subject: actor,
    audience: receiver,
    expiresAtNs: clock.nowNs() + HOUR_NS / 2n,
    invoke: [CAPABILITY],
    delegate: []
  }
  return () => context.provideInvocation(request)
}

/** Deciding about a member's invocation when there are `size` require anchors, all for the organisation it is of. */
function receivingWith(size: number): () => unknown {
  const context = contextOf(receiver)
  const [organisation, member] = [didNumber(size), owner]
  read(context.anchors.addRequire(anchors(size, organisation)))
  const membership = delegation(organisation, member, '/dms')
  const expiresAtNs = membership.expiresAtNs - HOUR_NS / 2n
  const leaf = {
    ...membership,
    action: 'invoke',
    issuer: member,
    subject: actor,
    audience: receiver,
    expiresAtNs
  }
  const invocation = { ...leaf, capabilities: [CAPABILITY], chain: membership }
  const list = formatTokenList([invocation])
  const tokens = read(context.consume(member, Buffer.from(list)))
  const question = { origin: member, subject: actor, audience: receiver, capabilities: [CAPABILITY] }
  return () => read(context.authorizeInvocation(question, tokens))
}

function contextOf(did: Did): CapabilityContext {
  const signer = { did, sign: () => SIGNATURE }
  return createCapabilityContext({ clock, random, owner: did, signer, keyOf: () => TRUSTING }).context
}

/** Delegations to `subject` of as many issuers and capabilities; the last grants what is asked. */
function anchors(size: number, subject: Did): Token[] {
  return Array.from({ length: size }, (_, index) =>
    delegation(didNumber(index), subject, index === size - 1 ? '/dms/deployment' : `/dms/namespace${index}`)
  )
}

function didNumber(index: number): Did {
  return parseDid(`did:key:z6Mk${String(index).padStart(44, '1')}`)
}

function delegation(issuer: Did, subject: Did, capability: string): Token {
  return {
    action: 'delegate',
    issuer,
    subject,
    audience: undefined,
    topics: [],
    capabilities: [capability],
    nonce: random.bytes(12),
    expiresAtNs: clock.nowNs() + HOUR_NS,
    depth: 0n,
    chain: undefined,
    signature: SIGNATURE
  }
}
