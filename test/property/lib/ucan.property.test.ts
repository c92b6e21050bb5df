import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  chainOf,
  formatToken,
  impliesCapability,
  parseCapabilityFile,
  parseToken,
  parseTokenList,
  type Token,
  VerifiedChains,
  verifyToken
} from '../../../src/lib/ucan/index.ts'
import { bytesToUtf8, SyntaxFault, utf8ToBytes } from '../../../src/utils/index.ts'
import { HOUR_NS, NOW_NS, token } from '../../unit/lib/parties.ts'
import { chains, instants, PEOPLE, RUNS } from './generators.ts'
import { naiveVerify } from './naive-verifier.ts'

const options = { numRuns: RUNS }

/** A chain that verifies: three links, with a topic, an audience and a depth. */
const good = ((): Token => {
  const [alice, bob, carol, dave] = PEOPLE
  assert.ok(alice && bob && carol && dave)
  const shared = { topics: ['/t'], audience: dave.did, expiresAtNs: NOW_NS + HOUR_NS }
  const root = token(alice, { ...shared, subject: bob.did, capabilities: ['/a', '/b'], depth: 2n })
  const middle = token(bob, { ...shared, subject: carol.did, capabilities: ['/a/x'], chain: root })
  return token(carol, {
    ...shared,
    action: 'invoke',
    subject: dave.did,
    capabilities: ['/a/x/y'],
    chain: middle
  })
})()

function accepts(text: string): boolean {
  const parsed = parseToken(text)
  return parsed.ok && verifyToken(parsed.value, { nowNs: NOW_NS }).ok
}

describe('verification', () => {
  test('agrees with the naive verifier, with and without memory', () => {
    const verified = new VerifiedChains(64)
    let valid = 0
    fc.assert(
      fc.property(chains, instants, (chain, nowNs) => {
        const expected = naiveVerify(chain, nowNs)
        if (expected) valid++
        assert.equal(verifyToken(chain, { nowNs }).ok, expected)
        assert.equal(verifyToken(chain, { nowNs, verified }).ok, expected)
      }),
      options
    )
    // A generator that makes nothing valid, or nothing invalid, would prove nothing.
    assert.ok(valid > RUNS / 20 && valid < RUNS - RUNS / 20, `${valid} of ${RUNS} valid`)
  })

  test('a valid chain only narrows capability, topic, audience, time and depth', () => {
    fc.assert(
      fc.property(chains, instants, (leaf, nowNs) => {
        if (!verifyToken(leaf, { nowNs }).ok) return
        for (const [position, link] of chainOf(leaf).entries()) {
          assert.ok(link.expiresAtNs >= nowNs && leaf.expiresAtNs <= link.expiresAtNs)
          assert.ok(link.depth === 0n || link.depth >= BigInt(position))
          assert.ok(link.audience === undefined || link.audience === leaf.audience)
          for (const name of leaf.capabilities ?? [])
            assert.ok(link.capabilities?.some(held => impliesCapability(held, name)))
          for (const name of leaf.topics) assert.ok(link.topics.some(held => impliesCapability(held, name)))
        }
      }),
      options
    )
  })

  test('no mutation of a byte that changes the meaning verifies', () => {
    const text = formatToken(good)
    assert.ok(accepts(text))
    const bytes = utf8ToBytes(text)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        const changed = bytes.slice()
        changed[at] = (changed[at] ?? 0) ^ difference
        let mutated: string
        try {
          mutated = bytesToUtf8(changed)
        } catch {
          return // not text at all
        }
        const parsed = parseToken(mutated)
        // The case of a member name is not part of the meaning; everything printed is.
        if (parsed.ok && formatToken(parsed.value) === text) return
        assert.equal(parsed.ok && verifyToken(parsed.value, { nowNs: NOW_NS }).ok, false, mutated)
      }),
      options
    )
  })

  test('no removal, doubling or exchange of a piece of text verifies with another meaning', () => {
    const text = formatToken(good)
    const at = fc.nat(text.length)
    fc.assert(
      fc.property(at, at, at, (a, b, c) => {
        const [from, to] = a < b ? [a, b] : [b, a]
        for (const mutated of [
          text.slice(0, from) + text.slice(to),
          text.slice(0, c) + text.slice(from, to) + text.slice(c)
        ]) {
          const parsed = parseToken(mutated)
          if (!parsed.ok || formatToken(parsed.value) === text) continue
          // What is left may be a whole ancestor, which was valid by itself.
          const ancestor = chainOf(good).some(link => formatToken(link) === formatToken(parsed.value))
          assert.equal(verifyToken(parsed.value, { nowNs: NOW_NS }).ok, ancestor, mutated)
        }
      }),
      options
    )
  })
})

describe('text', () => {
  test('reading what was printed prints the same', () => {
    const names = fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 4 })
    fc.assert(
      fc.property(
        chains,
        names,
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        (chain, capabilities, number) => {
          const item = { ...chain, capabilities, expiresAtNs: number, depth: number }
          const text = formatToken(item)
          const parsed = parseToken(text)
          assert.ok(parsed.ok, parsed.ok ? '' : parsed.error.message)
          assert.equal(formatToken(parsed.value), text)
          JSON.parse(text)
        }
      ),
      options
    )
  })

  test('readers answer every text, by a value or a refusal', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"dms":',
      '"tok":',
      '"chain":',
      '"cap":',
      '"exp":',
      '"iss":',
      '"uri":',
      ',',
      ':',
      'null',
      '1',
      '"',
      '\\u0000',
      '{"dms":{'
    )
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fc.array(pieces, { maxLength: 60 }).map(parts => parts.join(''))
    )
    fc.assert(
      fc.property(texts, text => {
        assert.equal(typeof parseToken(text).ok, 'boolean')
        assert.equal(typeof parseTokenList(text).ok, 'boolean')
        assert.throws(() => {
          parseCapabilityFile(text)
          throw new SyntaxFault('read')
        })
      }),
      options
    )
  })

  test('readers take no more than linear time on long input', () => {
    const hostile = [
      '['.repeat(1_000_000),
      '{"dms":{"chain":'.repeat(60_000),
      `{"tok":[${'{},'.repeat(300_000)}{}]}`,
      `{"tok":[${'null,'.repeat(200_000)}null]}`,
      `{"dms":{"cap":["${'\\u0041'.repeat(150_000)}"]}}`,
      `{"dms":{"exp":${'9'.repeat(900_000)}}}`,
      ' '.repeat(1_000_000),
      `"${'a'.repeat(1_000_000)}`
    ]
    for (const text of hostile) {
      const startedNs = process.hrtime.bigint()
      assert.equal(parseTokenList(text).ok, false)
      assert.equal(parseToken(text).ok, false)
      const tookMs = Number(process.hrtime.bigint() - startedNs) / 1e6
      assert.ok(tookMs < 3000, `${text.slice(0, 30)} took ${tookMs} ms`)
    }
  })
})
