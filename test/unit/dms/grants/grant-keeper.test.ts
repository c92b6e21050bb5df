import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { GRANT_LIFE_MS, GRANT_RENEWAL_MS, GrantKeeper } from '../../../../src/dms/grants/index.ts'
import { generateKey } from '../../../../src/lib/crypto/index.ts'
import { didOf, keySigner } from '../../../../src/lib/did/index.ts'
import {
  type CapabilityContext,
  createCapabilityContext,
  type Token
} from '../../../../src/lib/ucan/index.ts'
import { SeededRandom, VirtualClock } from '../../../../src/utils/index.ts'
import { MemoryLog } from '../../../utils/index.ts'

const MINUTE_MS = 60_000

/** A clock whose wall time can jump, as after a machine slept; its timers and its steady time do not. */
class JumpyClock extends VirtualClock {
  jumpedMs = 0
  override nowMs(): number {
    return super.nowMs() + this.jumpedMs
  }
  override nowNs(): bigint {
    return super.nowNs() + BigInt(this.jumpedMs) * 1_000_000n
  }
}

function setUp() {
  const clock = new JumpyClock()
  const random = new SeededRandom('grants')
  const key = generateKey(random)
  const granteeKey = generateKey(random)
  const other = didOf(granteeKey.publicKey)
  const grantee = createCapabilityContext({
    clock,
    random,
    owner: other,
    signer: keySigner(granteeKey)
  }).context
  const log = new MemoryLog()
  const { context } = createCapabilityContext({
    clock,
    random,
    owner: didOf(key.publicKey),
    signer: keySigner(key)
  })
  const signer = { mode: 'works' as 'works' | 'fails' | 'hangs' }
  const guarded: Pick<CapabilityContext, 'grant' | 'anchors'> = {
    anchors: context.anchors,
    grant: async request => {
      if (signer.mode === 'fails') throw new Error('no key')
      if (signer.mode === 'hangs') return await new Promise<never>(() => undefined)
      return await context.grant(request)
    }
  }
  const keeper = new GrantKeeper({ context: guarded, clock, log })
  /** Whether a message the grantee sends now, which lives half a minute, is admitted. */
  const admits = async (): Promise<boolean> => {
    const parties = { subject: other, audience: context.owner }
    const blob = await grantee.provideInvocation({
      ...parties,
      target: context.owner,
      expiresAtNs: clock.nowNs() + 30_000_000_000n,
      invoke: ['/dms/ensemble/e1/x'],
      delegate: []
    })
    const consumed = context.consume(other, blob)
    if (!consumed.ok) return false
    const question = { ...parties, origin: other, capabilities: ['/dms/ensemble/e1/x'] }
    const { ok } = context.authorizeInvocation(question, consumed.value)
    consumed.value.release()
    return ok
  }
  return {
    clock,
    context,
    keeper,
    signer,
    log,
    admits,
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
    const { clock, keeper, signer, admits, request } = setUp()
    await keeper.install(request)
    signer.mode = 'fails'
    await clock.advance(GRANT_RENEWAL_MS + 20 * MINUTE_MS)
    signer.mode = 'works'
    await clock.advance(MINUTE_MS)
    assert.equal(keeper.states()[0]?.failure, undefined)
    await clock.advance(9 * MINUTE_MS)
    assert.ok(await admits(), 'an hour after the first token was made')
    keeper.stop()
  })

  it('that cannot be renewed says so at once, then more urgently, each time once, and never looks well', async () => {
    const { clock, keeper, signer, log, request } = setUp()
    await keeper.install(request)
    signer.mode = 'fails'
    await clock.advance(GRANT_RENEWAL_MS)
    const told = (): string[] =>
      log.entries.map(({ level, message, fields }) => `${level} ${message} ${fields['left'] ?? ''}`)
    assert.deepEqual(told(), ['warn dynamic grant not renewed 30 m 0 s'])
    for (let minute = 0; minute < 90; minute++) {
      assert.equal(keeper.states()[0]?.failure, 'no key')
      await clock.advance(MINUTE_MS)
    }
    assert.deepEqual(told(), [
      'warn dynamic grant not renewed 30 m 0 s',
      'warn dynamic grant not renewed 15 m 0 s',
      'error dynamic grant ends soon and cannot be renewed 5 m 0 s',
      'error dynamic grant ends soon and cannot be renewed 1 m 0 s',
      'error dynamic grant has ended and cannot be renewed '
    ])
    assert.ok((keeper.states()[0]?.endsAtMs ?? 0) < clock.nowMs())
    signer.mode = 'works'
    await clock.advance(MINUTE_MS)
    assert.equal(keeper.states()[0]?.failure, undefined)
    assert.equal(log.entries.at(-1)?.message, 'dynamic grant renewed again')
    signer.mode = 'fails'
    await clock.advance(GRANT_RENEWAL_MS)
    assert.equal(log.entries.at(-1)?.message, 'dynamic grant not renewed')
    keeper.stop()
  })

  it('whose signer hangs is tried again', async () => {
    const { clock, keeper, signer, admits, request } = setUp()
    await keeper.install(request)
    signer.mode = 'hangs'
    await clock.advance(GRANT_RENEWAL_MS + 5 * MINUTE_MS)
    assert.match(keeper.states()[0]?.failure ?? '', /signing a grant took longer/)
    signer.mode = 'works'
    await clock.advance(2 * MINUTE_MS)
    assert.equal(keeper.states()[0]?.failure, undefined)
    await clock.advance(GRANT_RENEWAL_MS)
    assert.ok(await admits())
    keeper.stop()
  })

  it('is renewed within a minute when the clock jumps, before it ends unless the jump was past its end', async () => {
    const { clock, keeper, admits, request } = setUp()
    await keeper.install(request)
    await clock.advance(10 * MINUTE_MS)
    clock.jumpedMs += 45 * MINUTE_MS
    assert.ok(await admits())
    await clock.advance(MINUTE_MS)
    assert.ok((keeper.states()[0]?.endsAtMs ?? 0) - clock.nowMs() > GRANT_RENEWAL_MS)
    clock.jumpedMs += 5 * GRANT_LIFE_MS
    assert.equal(await admits(), false)
    await clock.advance(MINUTE_MS)
    assert.ok(await admits())
    clock.jumpedMs -= 5 * GRANT_LIFE_MS
    await clock.advance(GRANT_LIFE_MS)
    assert.ok(await admits(), 'also after it jumped back')
    keeper.stop()
  })

  it('admits at each instant, whatever else is granted and however often the signer fails for a while', async () => {
    const stretch = fc.record({
      mode: fc.constantFrom('works' as const, 'fails' as const, 'hangs' as const),
      // Shorter than what is left at half of the life, less the time limit of a signature, a look and a message.
      minutes: fc.integer({ min: 1, max: 26 }),
      other: fc.boolean()
    })
    await fc.assert(
      fc.asyncProperty(fc.array(stretch, { minLength: 1, maxLength: 12 }), async stretches => {
        const { clock, context, keeper, signer, admits, request } = setUp()
        await keeper.install(request)
        // Nobody may see the anchors between two tokens either.
        const remove = context.anchors.removeRequire.bind(context.anchors)
        Object.assign(context.anchors, {
          removeRequire: (token: Token) => {
            const rest = context.anchors.require.filter(
              held => held !== token && held.expiresAtNs > clock.nowNs()
            )
            assert.ok(rest.some(held => held.capabilities?.[0] === token.capabilities?.[0]))
            return remove(token)
          }
        })
        for (const { mode, minutes, other } of stretches) {
          signer.mode = 'works'
          if (other) await keeper.install({ ...request, capabilities: ['/dms/ensemble/e2'] })
          await clock.advance(2 * MINUTE_MS)
          signer.mode = mode
          for (let minute = 0; minute < minutes; minute++) {
            await clock.advance(MINUTE_MS)
            assert.ok(await admits())
          }
        }
        Object.assign(context.anchors, { removeRequire: remove })
        keeper.stop()
        await clock.advance(0)
        assert.equal(clock.pendingTimers, 0)
      }),
      { numRuns: 40 }
    )
  })
})
