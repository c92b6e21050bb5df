import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Behavior, MessageContext } from '../../../../src/actor/index.ts'
import { type ProviderBehaviorDeps, providerBehaviors } from '../../../../src/dms/node/behaviors/provider.ts'
import type { Token } from '../../../../src/lib/ucan/index.ts'
import type { Did } from '../../../../src/types/index.ts'
import { identity, NOW_NS, token } from '../../lib/parties.ts'

const [member, victim, actor] = [identity('member'), identity('victim'), identity('actor')]

/** Calls `/dms/deployment/allocate` as its actor would; says what was remembered and whether it came to the provider. */
async function allocate(did: Did, proof: Token | undefined) {
  const remembered: Did[] = []
  let allocated = 0
  const deps = {
    basis: { remember: (subject: Did) => remembered.push(subject) },
    provider: {
      allocate: async () => {
        allocated++
        return { OK: true, Error: '', Allocations: {} }
      }
    }
  } as unknown as ProviderBehaviorDeps // of the others nothing is needed for this behaviour
  let answer: unknown
  for (const declaration of providerBehaviors(deps)) {
    declaration({
      addBehavior: <Request, Reply>(behavior: Behavior<Request, Reply>) => {
        if (behavior.path === '/dms/deployment/allocate')
          answer = behavior.handle(contextOf<Request>(did, proof))
        return () => undefined
      }
    })
  }
  return { answer: await answer, remembered, allocated }
}

function contextOf<Request>(did: Did, proof: Token | undefined): MessageContext<Request> {
  return {
    from: { id: '', did, address: { host: '', inbox: '' } },
    behavior: '/dms/deployment/allocate',
    payload: undefined as Request,
    expiresAtNs: NOW_NS,
    isBroadcast: false,
    proof,
    signal: new AbortController().signal
  }
}

describe('the allocate behaviour of a provider', () => {
  it('has the grants of an orchestrator rest on the token it was let in by', async () => {
    const { remembered, allocated } = await allocate(member.did, token(member, { subject: actor.did }))
    assert.deepEqual({ remembered, allocated }, { remembered: [member.did], allocated: 1 })
  })

  it('does nothing for a sender that names another DID than its token: the grants of that one would end with it', async () => {
    const { answer, remembered, allocated } = await allocate(
      victim.did,
      token(member, { subject: actor.did })
    )
    assert.deepEqual({ remembered, allocated }, { remembered: [], allocated: 0 })
    const { OK, Refusal } = Object(answer)
    assert.deepEqual([OK, Refusal.code], [false, 'ALLOCATE_SENDER'])
  })

  it("needs no token of the node's own orchestrator", async () => {
    const { remembered, allocated } = await allocate(member.did, undefined)
    assert.deepEqual({ remembered, allocated }, { remembered: [], allocated: 1 })
  })
})
