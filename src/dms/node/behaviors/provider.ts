/** What orchestrators ask of this node as a provider (deployment §2.4 to §2.8, cli-api-config §6.7). */

import type { PrivateKey } from '../../../lib/crypto/index.ts'
import type { Token } from '../../../lib/ucan/index.ts'
import type { Network } from '../../../network/index.ts'
import type { Did, Handle } from '../../../types/index.ts'
import { refusal } from '../../../utils/index.ts'
import type { LocationSpec } from '../../ensemble/index.ts'
import {
  allocateRequestSchema,
  BEHAVIORS,
  BID_TOPIC,
  type BidDecision,
  type BidEntry,
  type BidRequest,
  bidRequestSchema,
  commitRequestSchema,
  type Provider,
  revertRequestSchema
} from '../../jobs/index.ts'
import { writeBid, writeDecline } from '../../orchestrator/index.ts'
import type { ResourceManager } from '../../resources/index.ts'
import { isPermanent } from '../bid-permanence.ts'
import { type Declaration, declare, noPayload } from '../declare.ts'

export interface ProviderBehaviorDeps {
  provider: Provider
  resources: ResourceManager
  network: Pick<Network, 'peerId' | 'addresses'>
  handle: Handle
  privateKey: PrivateKey
  location: LocationSpec
  /** Remembers by what an orchestrator was let in: its grants end with that. */
  basis: { remember(subject: Did, proof: Token): void }
}

export function providerBehaviors(deps: ProviderBehaviorDeps): Declaration[] {
  const { provider, basis } = deps
  const failed = ({ message }: { message: string }): { OK: boolean; Error: string } => ({
    OK: false,
    Error: message
  })
  return [
    bidRequest(deps),
    declare({
      path: BEHAVIORS.commit,
      request: commitRequestSchema,
      handle: ({ payload, from }) => provider.commit(payload, from),
      onError: failed
    }),
    declare({
      path: BEHAVIORS.allocate,
      request: allocateRequestSchema,
      handle: ({ payload, from, proof }) => {
        // What is granted is granted to `from.did`. A message merely claims that; who signed its token has shown it.
        // Without this a member could have the grants of another one rest on a token it can revoke.
        if (from.did !== '' && proof !== undefined) {
          if (proof.issuer !== from.did) return claimed(from.did, proof)
          basis.remember(from.did, proof)
        }
        return provider.allocate(payload, from)
      },
      onError: problem => ({ ...failed(problem), Allocations: {} })
    }),
    declare({
      path: BEHAVIORS.revert,
      request: revertRequestSchema,
      handle: ({ payload, from }) => provider.revert(payload, from),
      onError: failed
    }),
    declare({
      path: '/dms/node/allocations/list',
      request: noPayload,
      handle: () => provider.list(),
      onError: ({ message }) => ({ allocations: [], error: message })
    })
  ]
}

function claimed(did: Did, { issuer }: Token): Record<string, unknown> {
  const reason = `the message names '${did}' as its sender, but its token is by '${issuer}'`
  const problem = refusal('ALLOCATE_SENDER', reason, { details: { asked: did, held: issuer } })
  return { OK: false, Error: reason, Refusal: problem, Allocations: {} }
}

function bidRequest({
  provider,
  resources,
  network,
  handle,
  privateKey,
  location
}: ProviderBehaviorDeps): Declaration {
  return declare({
    path: BEHAVIORS.bidRequest,
    request: bidRequestSchema,
    topic: BID_TOPIC,
    handle: async ({ payload, from, isBroadcast }) => {
      // A node does not bid for its own broadcasts; asked directly, it may host its own work (deployment §3.1).
      if (isBroadcast && from.address.host === network.peerId) return undefined
      const decision = await provider.decideBid(payload, from)
      if (decision.ok) {
        const { entry, alternatives, declined } = decision.value
        const bid = {
          ensembleId: payload.ensembleId,
          node: entry.node_id,
          handle,
          location,
          addresses: publicAddresses(network),
          era: entry.era,
          ...(payload.explain ? { alternatives: alternatives.map(other => other.node_id) } : {}),
          declined: declined && {
            refusal: declined,
            permanent: isPermanent(declined, rest(payload, decision.value), resources.onboarded())
          }
        }
        return writeBid(bid, privateKey)
      }
      if (!payload.explain) return undefined
      return writeDecline(
        payload.ensembleId,
        decision.error,
        isPermanent(decision.error, payload.entries, resources.onboarded())
      )
    }
  })
}

/** The nodes of a request that a decision does not bid for. */
function rest(request: BidRequest, { entry, alternatives }: BidDecision): BidEntry[] {
  const offered = new Set([entry, ...alternatives].map(candidate => candidate.node_id))
  return request.entries.filter(candidate => !offered.has(candidate.node_id))
}

/** IP addresses of this host's listeners: where published ports are reached. */
function publicAddresses(network: Pick<Network, 'addresses'>): string[] {
  const ips = network.addresses().flatMap(address => /^\/ip[46]\/([^/]+)\//.exec(address)?.[1] ?? [])
  return [...new Set(ips)]
}
