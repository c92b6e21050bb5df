/** Rules of making tokens (§7.7 to §7.9, the names of §5.1 and the dead ends of §6.3). */

import { keySigner } from '../../../../src/lib/did/index.ts'
import {
  type CapabilityContext,
  createCapabilityContext,
  type Token,
  verifyToken
} from '../../../../src/lib/ucan/index.ts'
import { SeededRandom, VirtualClock } from '../../../../src/utils/index.ts'
import { blobTokens, HOUR_NS, identity, NOW_NS, party, token } from '../parties.ts'
import { codesOf, type Outcome, type Rule, thrown, treeOf } from './rule.ts'

const [owner, network, member, guest, actor] = [
  identity('owner'),
  identity('network'),
  identity('member'),
  identity('guest'),
  identity('actor')
]
const SOON_NS = NOW_NS + HOUR_NS / 2n
const HELLO = '/public/hello'

type Fields = Partial<Token>

function context(): CapabilityContext {
  return party('owner').context
}

const base = {
  action: 'delegate' as const,
  subject: guest.did,
  topics: [] as string[],
  capabilities: ['/public'],
  expiresAtNs: SOON_NS,
  depth: 0n
}

/** What can be delegated on one provide anchor. */
async function delegated(
  anchor: Fields,
  request: Partial<typeof base> & { audience?: Token['audience'] } = {}
): Promise<Outcome> {
  const { context: own } = party('member')
  const added = own.anchors.addProvide([
    token(network, { subject: member.did, capabilities: ['/public'], ...anchor })
  ])
  if (!added.ok) return codesOf(added)
  return codesOf(await own.delegate({ ...base, ...request, selfSign: 'no' }))
}

const provideRequest = {
  target: owner.did,
  subject: actor.did,
  audience: owner.did,
  expiresAtNs: SOON_NS,
  invoke: [HELLO],
  delegate: [] as string[]
}

/** Making tokens (§7.7 to §7.9, and the dead ends of §6.3). */
export const issuingRules: readonly Rule[] = [
  {
    source: '§7.7',
    says: 'a message for no capability is not made',
    code: 'UCAN_INVALID_REQUEST',
    provoke: () => thrown(() => context().provideInvocation({ ...provideRequest, invoke: [] }))
  },
  {
    source: '§7.7',
    says: 'without key nothing is issued',
    code: 'UCAN_NO_SIGNER',
    provoke: () =>
      thrown(() =>
        createCapabilityContext({
          clock: new VirtualClock(),
          random: new SeededRandom(1),
          owner: owner.did
        }).context.provideInvocation(provideRequest)
      )
  },
  { source: '§7.7', says: 'the reply delegation may be used', code: 'ok', provoke: () => useReply(1) },
  {
    source: '§7.7',
    says: 'the reply delegation may not be passed on',
    code: 'UCAN_DEPTH',
    provoke: () => useReply(2)
  },
  {
    source: '§7.8',
    says: 'without provide anchor for the topic there is no proof',
    code: 'UCAN_NO_PROOF',
    provoke: () => {
      const lacking = context().lacksBroadcastProof({ topic: '/nunet', capabilities: [HELLO] })
      return lacking === undefined ? ['ok'] : treeOf(lacking)
    }
  },
  {
    source: '§7.9',
    says: 'without provide anchor nothing can be delegated',
    code: 'UCAN_NOT_AUTHORIZED',
    provoke: async () => codesOf(await context().delegate({ ...base, selfSign: 'no' }))
  },
  {
    source: '§7.9',
    says: 'self-signed only needs no anchor',
    code: 'ok',
    provoke: async () => codesOf(await context().delegate({ ...base, selfSign: 'only' }))
  },
  {
    source: '§7.9',
    says: 'what the anchor holds can be delegated',
    code: 'ok',
    provoke: () => delegated({})
  },
  {
    source: '§7.9',
    says: 'a capability the anchor lacks cannot be delegated',
    code: 'UCAN_CAPABILITY_WIDENED',
    provoke: () => delegated({}, { capabilities: ['/private'] })
  },
  {
    source: '§7.9',
    says: 'a topic the anchor lacks cannot be delegated',
    code: 'UCAN_TOPIC_WIDENED',
    provoke: () => delegated({}, { topics: ['/nunet'] })
  },
  {
    source: '§7.9',
    says: 'an audience the anchor fixes cannot be dropped',
    code: 'UCAN_AUDIENCE_WIDENED',
    provoke: () => delegated({ audience: owner.did })
  },
  {
    source: '§7.9',
    says: 'nothing can be delegated for longer than the anchor lasts',
    code: 'UCAN_CHAIN_EXPIRY',
    provoke: () => delegated({ expiresAtNs: SOON_NS - 1n })
  },
  {
    source: '§6.3',
    says: 'a depth that allows use only cannot be delegated on',
    code: 'UCAN_DEPTH',
    provoke: () => delegated({ depth: 1n })
  },
  {
    source: '§6.3',
    says: 'a depth that allows one more step can',
    code: 'ok',
    provoke: () => delegated({ depth: 2n })
  },
  {
    source: '§7.9',
    says: 'a self-signed token without expiry is not made',
    code: 'UCAN_INVALID_REQUEST',
    provoke: () => thrown(() => context().grant({ ...base, expiresAtNs: 0n }))
  },
  ...['', 'a', '/a/', '//', '/a//b', '/.', '/a/..', '/cafe\u0301'].map(name => ({
    source: '§5.1',
    says: `never issued: ${JSON.stringify(name).replace('\u0301', '\\u0301')}`,
    code: 'UCAN_INVALID_REQUEST',
    provoke: () => thrown(() => context().grant({ ...base, capabilities: [name] }))
  })),
  {
    source: '§7.1',
    says: 'the key of another cannot sign for a context',
    code: 'UCAN_WRONG_OWNER',
    provoke: () =>
      thrown(() =>
        createCapabilityContext({
          clock: new VirtualClock(),
          random: new SeededRandom(1),
          owner: owner.did,
          signer: keySigner(guest.key)
        })
      )
  },
  {
    source: '§7.1',
    says: 'a signature that does not verify is noticed before it leaves',
    code: 'UCAN_SIGNER_FAILED',
    provoke: () =>
      thrown(() =>
        createCapabilityContext({
          clock: new VirtualClock(),
          random: new SeededRandom(1),
          owner: owner.did,
          signer: { did: owner.did, sign: data => guest.key.sign(data) }
        }).context.grant(base)
      )
  }
]

/** Uses the reply delegation of a request, `steps` tokens away from it. */
async function useReply(steps: 1 | 2): Promise<Outcome> {
  const asker = party('asker')
  const replier = identity('replier')
  const blob = await asker.context.provideInvocation({
    ...provideRequest,
    target: replier.did,
    delegate: ['/reply']
  })
  const given = blobTokens(blob).at(-1)
  const rest = { audience: actor.did, capabilities: ['/reply'], expiresAtNs: SOON_NS }
  const chain = steps === 1 ? given : token(replier, { ...rest, subject: guest.did, chain: given })
  const leaf = token(steps === 1 ? replier : guest, { ...rest, action: 'invoke', subject: guest.did, chain })
  return codesOf(verifyToken(leaf, { nowNs: NOW_NS }))
}
