/**
 * Revocations between nodes, an extension: taking one that is broadcast, and telling another node what it lacks. Both
 * names lie below capabilities that members of a network hold (identity-and-actors §11.1).
 */

import { z } from 'zod'
import { exactJson } from '../../../actor/index.ts'
import { renderRefusal } from '../../../utils/index.ts'
import {
  LACKING_BEHAVIOR,
  lackingRequestSchema,
  REVOCATION_TOPIC,
  REVOKE_BEHAVIOR,
  type Revocations,
  readFewOffers
} from '../../revocation/index.ts'
import { type Declaration, declare } from '../declare.ts'

const revokeRequest = z.object({ Token: z.unknown(), Proof: z.unknown() })

export function revocationBehaviors({ revocations }: { revocations: Revocations }): Declaration[] {
  return [
    declare({
      path: REVOKE_BEHAVIOR,
      request: revokeRequest,
      exact: true,
      topic: REVOCATION_TOPIC,
      handle: async ({ payload, from, proof }) => {
        const offers = readFewOffers(payload.Token, payload.Proof)
        if (!offers.ok) return { OK: false, Error: offers.error.message, New: 0, Known: 0 }
        // A sender merely claims its DID; the issuer of its token has shown who it is.
        const bringer = proof?.issuer ?? from.did
        const { added, known, refused } = await revocations.registry.offer(offers.value, bringer)
        const [first] = refused
        return {
          OK: first === undefined,
          Error: first === undefined ? '' : renderRefusal(first),
          New: added,
          Known: known
        }
      },
      onError: ({ message }) => ({ OK: false, Error: message, New: 0, Known: 0 })
    }),
    declare({
      path: LACKING_BEHAVIOR,
      request: lackingRequestSchema,
      handle: ({ payload }) => {
        const page = revocations.lacking(payload)
        return {
          OK: true,
          Error: '',
          Revoke: exactJson(page.revocations),
          Proof: exactJson(page.proofs),
          Next: page.next,
          Digest: page.digest
        }
      },
      onError: ({ message }) => ({ OK: false, Error: message })
    })
  ]
}
