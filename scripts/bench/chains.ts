/** Chains of tokens and contexts full of anchors for the benchmarks, made through the public door only. */

import { generateKey, type PrivateKey } from '../../src/lib/crypto/index.ts'
import { didOf, keySigner } from '../../src/lib/did/index.ts'
import {
  type CapabilityContext,
  createCapabilityContext,
  formatToken,
  parseTokenList,
  type Token
} from '../../src/lib/ucan/index.ts'
import type { Did, Result } from '../../src/types/index.ts'
import { systemClock as clock, systemRandom as random } from '../../src/utils/index.ts'

export const HOUR_NS = 3_600_000_000_000n

/** Someone who signs. */
export interface Party {
  readonly key: PrivateKey
  readonly did: Did
  readonly context: CapabilityContext
}

export function makeParty(): Party {
  const key = generateKey(random)
  const did = didOf(key.publicKey)
  return {
    key,
    did,
    context: createCapabilityContext({ clock, random, owner: did, signer: keySigner(key) }).context
  }
}

/** The text of a chain: `length - 1` delegations and an invocation by the last, each by a party of its own. */
export async function makeChain(parties: readonly Party[], receiver: Did): Promise<string> {
  const expiresAtNs = clock.nowNs() + HOUR_NS
  let token: Token | undefined
  for (const [index, party] of parties.slice(0, -1).entries()) {
    const request = {
      action: 'delegate',
      subject: (parties[index + 1] ?? party).did,
      topics: [],
      capabilities: ['/dms/deployment'],
      expiresAtNs,
      depth: 0n
    } as const
    if (token === undefined) {
      token = await party.context.grant(request)
      continue
    }
    party.context.anchors.addProvide([token])
    const made = await party.context.delegate({ ...request, selfSign: 'no' })
    token = made.ok ? made.value.at(-1) : undefined
  }
  const last = parties.at(-1)
  if (token === undefined || last === undefined) throw new Error('no chain was made')
  last.context.anchors.addProvide([token])
  const blob = await provide(last, receiver, '/dms/deployment/request')
  const [leaf] = read(parseTokenList(Buffer.from(blob).toString()))
  if (leaf?.chain === undefined) throw new Error('the invocation is not chained')
  return formatToken(leaf)
}

/** The token list of one message. */
export function provide(sender: Party, receiver: Did, capability: string): Promise<Uint8Array> {
  return sender.context.provideInvocation({
    target: receiver,
    subject: sender.did,
    audience: receiver,
    expiresAtNs: clock.nowNs() + HOUR_NS / 2n,
    invoke: [capability],
    delegate: []
  })
}

/** The value of a reader's answer; a benchmark has no use for refusals. */
export function read<T>(result: Result<T>): T {
  if (result.ok) return result.value
  throw new Error(result.error.message)
}
