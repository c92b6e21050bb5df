import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readCanonicalList, readCanonicalToken } from '../../../src/lib/ucan/canonical-token.ts'
import {
  chainOf,
  createCapabilityContext,
  formatCapabilityFile,
  formatToken,
  formatTokenList,
  impliesCapability,
  MAX_CHAIN_LENGTH,
  parseCapabilityFile,
  parseToken,
  parseTokenList,
  signingBytes,
  type Token,
  VerifiedChains,
  verifyToken
} from '../../../src/lib/ucan/index.ts'
import { reading, readToken } from '../../../src/lib/ucan/token-json.ts'
import {
  parseGoJson,
  renderRefusal,
  SeededRandom,
  SyntaxFault,
  utf8ToBytes
} from '../../../src/utils/index.ts'
import { HOUR_NS, type Identity, NOW_NS, token } from '../../unit/lib/parties.ts'
import { chains, instants, longChains, PEOPLE, RUNS, scenes, unsignedChains } from './generators.ts'
import { naiveAllows } from './naive-context.ts'
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

  test('agrees with the naive verifier on chains up to the longest and beyond', () => {
    const lengths = new Set<boolean>()
    fc.assert(
      fc.property(longChains, chain => {
        const links = chainOf(chain).length
        const expected = links <= MAX_CHAIN_LENGTH && naiveVerify(chain, NOW_NS)
        lengths.add(expected)
        assert.equal(verifyToken(chain, { nowNs: NOW_NS }).ok, expected, `${links} links`)
        assert.equal(parseToken(formatToken(chain)).ok, links <= MAX_CHAIN_LENGTH, `${links} links`)
      }),
      { numRuns: Math.ceil(RUNS / 50) }
    )
    assert.equal(lengths.size, 2)
  })

  test('a revoked link refuses what the naive verifier accepts, and nothing else', () => {
    fc.assert(
      fc.property(chains, fc.nat(6), (chain, revoked) => {
        const links = chainOf(chain)
        const isRevoked = (token: Token): boolean => token === links[revoked]
        const expected = revoked >= links.length && naiveVerify(chain, NOW_NS)
        assert.equal(verifyToken(chain, { nowNs: NOW_NS, isRevoked }).ok, expected)
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

describe('a context', () => {
  const clock = { nowNs: () => NOW_NS }
  const random = new SeededRandom('contexts')

  test('admits and authorises as its naive twin does', () => {
    const [owner, , , actor] = PEOPLE
    assert.ok(owner && actor)
    let allowed = 0
    fc.assert(
      fc.property(scenes, ({ roots, anchors, revoked, leaf, asked, topic }) => {
        const { context } = createCapabilityContext({ clock, random, owner: owner.did })
        for (const root of roots) context.anchors.addRoot(root)
        for (const anchor of anchors) context.anchors.addRequire([anchor])
        const takenBack = revoked.flatMap(position => chainOf(leaf).slice(position, position + 1))
        const isIssuer = (link: Token): Identity | undefined => PEOPLE.find(one => one.did === link.issuer)
        const revocations = takenBack.flatMap(link => {
          const issuer = isIssuer(link)
          return issuer === undefined
            ? []
            : [token(issuer, { ...link, action: 'revoke', signature: undefined })]
        })
        for (const revocation of revocations) context.anchors.addRevoke([revocation])
        const origin = PEOPLE[1]?.did ?? owner.did
        const consumed = context.consume(origin, utf8ToBytes(formatTokenList([leaf])))
        assert.ok(consumed.ok)
        const question = { origin, subject: actor.did, capabilities: [asked] }
        const verdict =
          topic === undefined
            ? context.authorizeInvocation({ ...question, audience: owner.did }, consumed.value)
            : context.authorizeBroadcast({ ...question, topic }, consumed.value)
        const expected = naiveAllows(leaf, {
          owner: owner.did,
          roots,
          requires: anchors,
          revoked: revocations.filter(one => naiveVerify(one, NOW_NS)),
          actor: actor.did,
          asked,
          topic,
          nowNs: NOW_NS
        })
        if (expected) allowed++
        assert.equal(verdict.ok, expected, verdict.ok ? formatToken(leaf) : renderRefusal(verdict.error))
      }),
      options
    )
    assert.ok(allowed > RUNS / 20 && allowed < RUNS - RUNS / 20, `${allowed} of ${RUNS} allowed`)
  })
})

describe('text', () => {
  test('reading what was printed prints the same', () => {
    const units = fc.array(fc.nat(0xffff), { maxLength: 20 }).map(codes => String.fromCharCode(...codes))
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
      units
    )
    const names = fc.array(name, { maxLength: 4 })
    fc.assert(
      fc.property(
        unsignedChains,
        names,
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        (chain, capabilities, number) => {
          const item = { ...chain, capabilities, expiresAtNs: number, depth: number }
          const text = formatToken(item)
          const parsed = parseToken(text)
          assert.ok(parsed.ok, parsed.ok ? '' : parsed.error.message)
          assert.equal(formatToken({ ...parsed.value }), text)
          JSON.parse(text)
        }
      ),
      options
    )
  })

  test('a capability file that was written is read back to the same text', () => {
    const lists = fc.array(unsignedChains, { maxLength: 3 })
    const dids = fc.subarray(PEOPLE.map(one => one.did))
    const asideText = fc.oneof(
      fc.constantFrom('', '{', '{"dms":1}', '1e9', '"\\u2028"'),
      fc.string({ unit: 'binary' })
    )
    const list = fc.constantFrom('roots' as const, 'require' as const, 'provide' as const, 'revoke' as const)
    const reason = { code: 'X', message: 'x' }
    const aside = fc.array(fc.record({ list, text: asideText, reason: fc.constant(reason) }), {
      maxLength: 2
    })
    fc.assert(
      fc.property(dids, lists, lists, aside, (roots, require, provide, setAside) => {
        const did = PEOPLE[0]?.did
        assert.ok(did)
        const text = formatCapabilityFile({ did, roots, require, provide, revoke: [], setAside })
        assert.equal(formatCapabilityFile(parseCapabilityFile(text)), text)
      }),
      { numRuns: Math.ceil(RUNS / 4) }
    )
  })

  test('the reader of printed tokens never differs from the general one', () => {
    let quick = 0
    const odd = fc.tuple(fc.nat(5000), fc.constantFrom('', ' ', '=', '"', ',', '0', '}', '\\', 'A', '\u00e9'))
    const changes = fc.array(odd, { maxLength: 2 })
    fc.assert(
      fc.property(unsignedChains, changes, (chain, edits) => {
        let text = formatToken(chain)
        for (const [at, piece] of edits) {
          const place = at % text.length
          text = text.slice(0, place) + piece + text.slice(place + (at % 3))
        }
        const read = readCanonicalToken(text)
        const general = reading(() => readToken(parseGoJson(text, { maxLength: 1e6, maxDepth: 200 }), 0))
        if (read === undefined) return
        quick++
        assert.ok(general.ok, text)
        assert.deepEqual(read, general.value)
        assert.equal(formatToken(general.value), text)
        assert.deepEqual(signingBytes(read), signingBytes(general.value))
        assert.deepEqual(readCanonicalList(`{"tok":[${text}]}`), [general.value])
      }),
      options
    )
    assert.ok(quick > RUNS / 20, `${quick} of ${RUNS} were in the printed form`)
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
})
