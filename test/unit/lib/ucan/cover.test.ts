/** When one anchor makes another superfluous. That it is true is a property, see `test/property/lib/cover.property.test.ts`. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { coversProvide, coversRequire, remainingSteps, type Token } from '../../../../src/lib/ucan/index.ts'
import { HOUR_NS, identity, NOW_NS, party, token } from '../parties.ts'

const [acme, user, node, other] = ['acme', 'user', 'node', 'other'].map(identity) as [
  ReturnType<typeof identity>,
  ReturnType<typeof identity>,
  ReturnType<typeof identity>,
  ReturnType<typeof identity>
]

const wide: Partial<Token> = { capabilities: ['/a', '/b'], topics: ['/t'] }

describe('a require anchor', () => {
  const anchor = token(node, { subject: acme.did, ...wide })
  for (const [title, fields, covered] of [
    ['the same again', {}, true],
    ['narrower capabilities', { capabilities: ['/a/x'] }, true],
    ['no capabilities', { capabilities: null }, true],
    ['wider capabilities', { capabilities: ['/a', '/c'] }, false],
    ['narrower topics', { topics: ['/t/x'] }, true],
    ['other topics', { topics: ['/u'] }, false],
    ['an earlier end', { expiresAtNs: NOW_NS + 1n }, true],
    ['a later end', { expiresAtNs: NOW_NS + HOUR_NS + 1n }, false],
    ['an audience', { audience: user.did }, true],
    ['a limited depth', { depth: 3n }, true],
    ['another subject', { subject: other.did }, false]
  ] as const)
    test(`${covered ? 'covers' : 'does not cover'} one with ${title}`, () => {
      assert.equal(coversRequire(anchor, token(node, { subject: acme.did, ...wide, ...fields })), covered)
    })

  for (const [title, fields, otherFields, covered] of [
    ['an audience covers one for the same', { audience: user.did }, { audience: user.did }, true],
    ['an audience does not cover one for anybody', { audience: user.did }, {}, false],
    [
      'an audience does not cover one for somebody else',
      { audience: user.did },
      { audience: other.did },
      false
    ],
    ['a depth covers one with the same or less', { depth: 2n }, { depth: 2n }, true],
    ['a depth does not cover one with more', { depth: 2n }, { depth: 3n }, false],
    ['a depth does not cover one without limit', { depth: 2n }, {}, false],
    ['no capabilities does not cover one that has some', { capabilities: null }, {}, false]
  ] as const)
    test(`with ${title}`, () => {
      const first = token(node, { subject: acme.did, ...wide, ...fields })
      const second = token(node, { subject: acme.did, ...wide, ...otherFields })
      assert.equal(coversRequire(first, second), covered)
    })
})

describe('a provide anchor', () => {
  const direct = token(acme, { subject: node.did, ...wide })
  const toUser = token(acme, { subject: user.did, ...wide })
  const viaUser = token(user, { subject: node.did, ...wide, chain: toUser })

  test('covers one on a chain with the same issuers', () => {
    assert.equal(coversProvide(direct, token(acme, { subject: node.did, capabilities: ['/a'] })), true)
    assert.equal(coversProvide(viaUser, token(user, { subject: node.did, chain: toUser })), true)
  })

  test('does not cover one that shows an issuer whom it does not show, or shows it nearer to the leaf', () => {
    assert.equal(coversProvide(direct, viaUser), false, 'somebody may trust the user only')
    assert.equal(coversProvide(viaUser, direct), false, 'somebody may trust acme to a depth of one')
    assert.equal(coversProvide(token(other, { subject: node.did, ...wide }), direct), false)
  })

  test('does not cover one on a shorter chain, even when all its issuers stand as near', () => {
    const doubled = token(acme, {
      subject: node.did,
      ...wide,
      chain: token(other, { subject: acme.did, ...wide })
    })
    assert.equal(coversProvide(doubled, direct), false)
    assert.equal(coversProvide(direct, token(acme, { subject: other.did })), false)
  })

  test('does not cover one that can be passed on farther, or that allows more', () => {
    assert.equal(coversProvide(token(acme, { subject: node.did, ...wide, depth: 1n }), direct), false)
    assert.equal(coversProvide(direct, token(acme, { subject: node.did, ...wide, depth: 1n })), true)
    assert.equal(coversProvide(direct, token(acme, { subject: node.did, capabilities: ['/'] })), false)
  })
})

describe('the steps that remain on a delegation', () => {
  test('are the least that a depth in its chain leaves', () => {
    assert.equal(remainingSteps(token(acme, { subject: user.did })), Number.POSITIVE_INFINITY)
    assert.equal(remainingSteps(token(acme, { subject: user.did, depth: 2n })), 2)
    const parent = token(acme, { subject: user.did, depth: 2n })
    assert.equal(remainingSteps(token(user, { subject: node.did, depth: 5n, chain: parent })), 1)
    const spent = token(acme, { subject: user.did, depth: 1n })
    const dead = token(user, { subject: node.did, chain: spent })
    assert.equal(remainingSteps(dead), 0)
    assert.equal(remainingSteps(token(node, { subject: acme.did, chain: dead })), 0)
  })
})

describe('what a context makes of a token that somebody shows it', () => {
  test('tells whether it verifies and whether its chain is trusted, each by itself', () => {
    const { context } = party('node')
    const foreign = token(acme, { subject: user.did })
    const first = context.examine(foreign)
    assert.equal(first.verdict.ok, true)
    assert.equal(first.admission.ok ? 'ok' : first.admission.error.code, 'UCAN_NOT_ANCHORED')
    context.anchors.addRoot(acme.did)
    assert.equal(context.examine(foreign).admission.ok, true)
    const expired = context.examine(token(acme, { subject: user.did, expiresAtNs: NOW_NS - 1n }))
    assert.equal(expired.verdict.ok ? 'ok' : expired.verdict.error.code, 'UCAN_EXPIRED')
    assert.equal(expired.admission.ok, true)
  })
})
