import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { endingsOf, endOf } from '../../../../src/dms/expiry/index.ts'
import { formatToken as format, type Token } from '../../../../src/lib/ucan/index.ts'
import { VirtualClock } from '../../../../src/utils/index.ts'
import { HOUR_NS, type Identity, identity, NOW_NS, party, token } from '../../lib/parties.ts'

const NOW_MS = new VirtualClock().nowMs()
const owner = identity('node')
const organisation = identity('organisation')
const other = identity('other organisation')

/** What is reported of some anchors, by their place in the list. */
function reported(role: 'provide' | 'require', tokens: readonly Token[], roots: Identity[] = []): number[] {
  const anchors = { roots: roots.map(({ did }) => did), provide: [], require: [], [role]: tokens }
  return endingsOf(anchors, owner.did, NOW_MS).map(ending => tokens.indexOf(ending.token))
}

/** A require anchor for the organisation; hours to live. */
function admits(hours: number, fields: Partial<Token> = {}): Token {
  return token(owner, { subject: organisation.did, expiresAtNs: NOW_NS + BigInt(hours) * HOUR_NS, ...fields })
}

describe('tokens whose end would be missed', () => {
  it('are those that no longer-lived one covers, the soonest first', () => {
    assert.deepEqual(reported('require', [admits(2), admits(1, { capabilities: ['/b'] })]), [1, 0])
    assert.deepEqual(reported('require', [admits(1), admits(2)]), [1])
    assert.deepEqual(reported('require', [admits(1, { capabilities: ['/a/b'] }), admits(2)]), [1])
  })

  for (const [what, lacking] of [
    ['fewer capabilities', { capabilities: ['/a/b'] }],
    ['fewer topics', { topics: [] }],
    ['an audience', { audience: owner.did }],
    ['less depth', { depth: 1n }],
    ['another subject', { subject: other.did }],
    ['no capability', { capabilities: null }]
  ] as const) {
    it(`are not covered by a token with ${what}`, () => {
      const short = admits(1, { topics: ['/nunet'] })
      const places = reported('require', [short, admits(2, { topics: ['/nunet'], ...lacking })])
      assert.ok(places.includes(0))
    })
  }

  it('are one of two that are alike, not none', () => {
    assert.deepEqual(reported('require', [admits(1), admits(1)]), [0])
  })

  it('are not those of who is trusted fully', () => {
    assert.deepEqual(reported('require', [admits(1)], [organisation]), [])
    assert.deepEqual(reported('require', [admits(1, { subject: owner.did })]), [])
  })

  it('are not those that have ended, that cover nothing any more, or that grant nothing', () => {
    assert.deepEqual(reported('require', [admits(-1), admits(1, { capabilities: [] })]), [])
    const ended = { provide: [], roots: [], require: [admits(1)] }
    assert.deepEqual(
      endingsOf(ended, owner.did, NOW_MS + 3_600_000).length,
      1,
      'good up to and including its end'
    )
    assert.deepEqual(endingsOf(ended, owner.did, NOW_MS + 3_600_001).length, 0)
  })

  it('are, among our own powers, also those from an issuer that the longer-lived one does not have', () => {
    const own = (issuer: Identity, hours: number, chain?: Token): Token =>
      token(issuer, { subject: owner.did, expiresAtNs: NOW_NS + BigInt(hours) * HOUR_NS, chain })
    assert.deepEqual(reported('provide', [own(organisation, 1), own(organisation, 2)]), [1])
    assert.deepEqual(reported('provide', [own(organisation, 1), own(other, 2)]), [0, 1])
    const up = token(organisation, { subject: other.did, expiresAtNs: NOW_NS + 9n * HOUR_NS })
    assert.deepEqual(
      reported('provide', [own(organisation, 1), own(other, 2, up)]),
      [0, 1],
      'its chain is longer'
    )
    assert.deepEqual(reported('provide', [own(other, 1, up), own(other, 2, up)]), [1])
    assert.deepEqual(reported('provide', [own(other, 1, up), own(organisation, 2)]), [0, 1])
  })

  it('end with the first of their chain', () => {
    const up = token(organisation, { subject: other.did, expiresAtNs: NOW_NS + HOUR_NS })
    const leaf = token(other, { subject: owner.did, expiresAtNs: NOW_NS + 2n * HOUR_NS, chain: up })
    assert.equal(endOf(leaf), NOW_MS + 3_600_000)
    assert.equal(endOf(token(other, { subject: owner.did, expiresAtNs: 2n ** 64n - 1n })), 18_446_744_073_709)
  })

  it('are at most a thousand, the soonest, and found among ten thousand in a moment', () => {
    const many = Array.from({ length: 10_000 }, (_, index) =>
      admits(20_000 - index, { capabilities: [`/c${index}`], signature: new Uint8Array(64) })
    )
    const found = reported('require', many)
    assert.equal(found.length, 1_000)
    assert.equal(found[0], 9_999)
  })

  it('are all: what an unreported anchor admits is still admitted when it has ended', async () => {
    const names = ['/a', '/a/b', '/a/b/c', '/d', '/']
    const anchor = fc.record({
      hours: fc.integer({ min: 1, max: 6 }),
      capabilities: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
      audience: fc.constantFrom(undefined, owner.did, other.did),
      depth: fc.constantFrom(0n, 1n, 2n),
      subject: fc.constantFrom(organisation.did, other.did)
    })
    await fc.assert(
      fc.asyncProperty(fc.array(anchor, { minLength: 2, maxLength: 5 }), async anchors => {
        const clock = new VirtualClock()
        const { context } = party('node', clock)
        const tokens = anchors.map(({ hours, ...fields }) => admits(hours, fields))
        assert.ok(context.anchors.addRequire(tokens).ok)
        const kept = new Set(reported('require', tokens))
        for (const [place, gone] of tokens.entries()) {
          if (kept.has(place)) continue
          const at = new VirtualClock(endOf(gone) + 1)
          const later = party('node', at).context
          for (const each of tokens) if (endOf(each) > endOf(gone)) later.anchors.addRequire([each])
          // Twins end together; one of them is reported.
          if (tokens.some((each, index) => kept.has(index) && endOf(each) === endOf(gone) && each !== gone))
            continue
          const issuer = [organisation, other].find(({ did }) => did === gone.subject)
          assert.ok(issuer)
          const asked = gone.capabilities?.[0] ?? ''
          const question = token(issuer, {
            action: 'invoke',
            subject: issuer.did,
            audience: gone.audience ?? owner.did,
            capabilities: [asked],
            expiresAtNs: at.nowNs() + 1n
          })
          const blob = Buffer.from(`{"tok":[${format(question)}]}`)
          const consumed = later.consume(other.did, blob)
          assert.ok(consumed.ok)
          const audience = gone.audience ?? owner.did
          const parties = { origin: issuer.did, subject: issuer.did, audience, capabilities: [asked] }
          assert.ok(later.authorizeInvocation(parties, consumed.value).ok, `anchor ${place} was not covered`)
        }
      }),
      { numRuns: 200 }
    )
  })
})
