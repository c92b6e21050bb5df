import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GRANT_LIFE_MS, GRANT_RENEWAL_MS, GrantKeeper } from '../../../../src/dms/grants/index.ts'
import { generateKey } from '../../../../src/lib/crypto/index.ts'
import { didOf, keySigner } from '../../../../src/lib/did/index.ts'
import { createCapabilityContext } from '../../../../src/lib/ucan/index.ts'
import { SeededRandom, VirtualClock } from '../../../../src/utils/index.ts'
import { MemoryLog } from '../../../utils/index.ts'

function setUp() {
  const clock = new VirtualClock()
  const random = new SeededRandom('grants')
  const key = generateKey(random)
  const other = didOf(generateKey(random).publicKey)
  const { context } = createCapabilityContext({
    clock,
    random,
    owner: didOf(key.publicKey),
    signer: keySigner(key)
  })
  const keeper = new GrantKeeper({ context, clock, log: new MemoryLog() })
  return {
    clock,
    context,
    keeper,
    request: { subject: other, audience: context.owner, capabilities: ['/dms/ensemble/e1'] }
  }
}

describe('a dynamic grant', () => {
  it('is renewed while it is needed, without a moment between the old token and the new', async () => {
    const { clock, context, keeper, request } = setUp()
    await keeper.install(request)
    for (let half = 0; half < 6; half++) {
      await clock.advance(GRANT_RENEWAL_MS)
      assert.equal(context.anchors.require.length, 1)
      const [token] = context.anchors.require
      const leftMs = Number(((token?.expiresAtNs ?? 0n) - clock.nowNs()) / 1_000_000n)
      assert.ok(leftMs > GRANT_RENEWAL_MS, `${leftMs} ms left of ${GRANT_LIFE_MS}`)
    }
  })

  it('admits nobody any more once it is revoked, also after its renewal would have been due', async () => {
    const { clock, context, keeper, request } = setUp()
    const grant = await keeper.install(request)
    grant.revoke()
    grant.revoke()
    assert.equal(context.anchors.require.length, 0)
    await clock.advance(3 * GRANT_LIFE_MS)
    assert.equal(context.anchors.require.length, 0)
    assert.equal(clock.pendingTimers, 0)
  })

  it('ends with its keeper', async () => {
    const { clock, context, keeper, request } = setUp()
    await keeper.install(request)
    await keeper.install({ ...request, capabilities: ['/dms/ensemble/e2'] })
    keeper.stop()
    assert.equal(context.anchors.require.length, 0)
    assert.equal(clock.pendingTimers, 0)
  })

  it('that was being signed while its keeper stopped is not left behind', async () => {
    const { clock, context, keeper, request } = setUp()
    const installing = keeper.install(request)
    keeper.stop()
    await installing
    assert.equal(context.anchors.require.length, 0)
    assert.equal(clock.pendingTimers, 0)
  })

  it('whose renewal fails is renewed soon after, before it ends', async () => {
    const { clock, context, keeper, request } = setUp()
    await keeper.install(request)
    const { grant } = context
    Object.assign(context, { grant: () => Promise.reject(new Error('no key')) })
    await clock.advance(GRANT_RENEWAL_MS)
    Object.assign(context, { grant: grant.bind(context) })
    await clock.advance(GRANT_RENEWAL_MS)
    assert.equal(context.anchors.require.length, 1)
    assert.ok((context.anchors.require[0]?.expiresAtNs ?? 0n) > clock.nowNs())
    await clock.advance(GRANT_RENEWAL_MS)
    assert.ok((context.anchors.require[0]?.expiresAtNs ?? 0n) > clock.nowNs())
    keeper.stop()
  })
})
