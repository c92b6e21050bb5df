import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Behavior, exactJson, type MessageContext } from '../../../../src/actor/index.ts'
import {
  type CapabilityBehaviorDeps,
  capabilityBehaviors
} from '../../../../src/dms/node/behaviors/capabilities.ts'
import { revocationBehaviors } from '../../../../src/dms/node/behaviors/revocations.ts'
import { formatToken } from '../../../../src/lib/ucan/index.ts'
import { identity, NOW_NS, token } from '../../lib/parties.ts'

const [member, other, actor] = [identity('member'), identity('other'), identity('actor')]
const list = exactJson(`{"tok":[${formatToken(token(member, { subject: actor.did, action: 'revoke' }))}]}`)

/** Who is written down as having brought a revocation by this behaviour, in a message by `member` that names `other`. */
async function bringerBy(path: string, payload: unknown): Promise<readonly string[]> {
  const bringers: string[] = []
  const take = async (_offers: unknown, from: string) => {
    bringers.push(from)
    return { added: 1, known: 0, refused: [] }
  }
  const revocations = {
    registry: { offer: take, addByHand: take },
    broadcast: async () => ({ listeners: 0, confirmed: 0 })
  }
  const deps = { revocations, context: {} } as unknown as CapabilityBehaviorDeps // nothing else is needed here
  let answer: unknown
  for (const declaration of [...capabilityBehaviors(deps), ...revocationBehaviors(deps)]) {
    declaration({
      addBehavior: <Request, Reply>(behavior: Behavior<Request, Reply>) => {
        if (behavior.path === path) answer = behavior.handle(contextOf(path, payload as Request))
        return () => undefined
      }
    })
  }
  assert.equal(Object(await answer).OK, true)
  return bringers
}

function contextOf<Request>(behavior: string, payload: Request): MessageContext<Request> {
  return {
    from: { id: '', did: other.did, address: { host: '', inbox: '' } },
    behavior,
    payload,
    expiresAtNs: NOW_NS,
    isBroadcast: false,
    proof: token(member, { subject: actor.did }),
    signal: new AbortController().signal
  }
}

describe('who brought a revocation', () => {
  for (const [path, payload] of [
    ['/broadcast/cap/revoke', { Token: list }],
    ['/dms/cap/revoke/anchor', { token: list }],
    ['/dms/cap/revoke/broadcast', { token: list }]
  ] as const) {
    it(`is the one who signed the token of the message, not the one it names (${path})`, async () => {
      assert.deepEqual(await bringerBy(path, payload), [member.did])
    })
  }
})
