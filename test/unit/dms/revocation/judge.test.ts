/** Which revocations of others are taken in: by a good signature, and by a say in what this node trusts. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Judged, namedByAnchors, sortOffer, verifyJudged } from '../../../../src/dms/revocation/judge.ts'
import type { Token } from '../../../../src/lib/ucan/index.ts'
import { HOUR_NS, identity, NOW_NS, party, token } from '../../lib/parties.ts'

type Party = ReturnType<typeof party>

async function revoke(issuer: Party, target: Token): Promise<Token> {
  const made = await issuer.context.revoke(target)
  assert.ok(made.ok)
  return made.value
}

function judge(at: Party, revocation: Token, proof?: Token): string {
  const sorted = sort(at, revocation, proof)
  return typeof sorted === 'string' ? sorted : (verifyJudged(sorted, at.context)?.code ?? 'ok')
}

function sort(at: Party, revocation: Token, proof?: Token): Judged | string {
  const sorted = sortOffer({ revocation, proof }, namedByAnchors(at.context))
  return sorted.ok ? sorted.value : sorted.error.code
}

function chargedTo(at: Party, revocation: Token, proof?: Token): readonly string[] {
  const sorted = sort(at, revocation, proof)
  assert.ok(typeof sorted !== 'string', String(sorted))
  return [...sorted.charged].sort()
}

function setUp() {
  const [node, organisation, member, helper] = [
    party('node'),
    party('organisation'),
    party('member'),
    party('helper')
  ]
  const anchor = token(node, { subject: organisation.did })
  assert.ok(node.context.anchors.addRequire([anchor]).ok)
  const given = token(organisation, { subject: member.did })
  const passedOn = token(member, { subject: helper.did, chain: given })
  return { node, organisation, member, helper, given, passedOn }
}

describe('a revocation by someone the anchors name', () => {
  it('is taken without proof: owner, root, subject and issuer of a require anchor, issuers of a provide chain', async () => {
    const { node, organisation, given } = setUp()
    const [root, giver] = [party('root'), party('giver')]
    node.context.anchors.addRoot(root.did)
    const power = token(giver, { subject: node.did })
    assert.ok(node.context.anchors.addProvide([power]).ok)
    const someone = identity('someone').did
    for (const issuer of [node, root, giver])
      assert.equal(judge(node, await revoke(issuer, token(issuer, { subject: someone }))), 'ok')
    for (const issuer of [node, root])
      assert.deepEqual(chargedTo(node, await revoke(issuer, token(issuer, { subject: someone }))), [])
    const byGiver = await revoke(giver, token(giver, { subject: someone }))
    assert.deepEqual(chargedTo(node, byGiver), [giver.did])
    assert.equal(judge(node, await revoke(organisation, given)), 'ok')
  })

  it('is refused when another signed it, it was changed, or it is more than a revocation', async () => {
    const { node, organisation, member, given } = setUp()
    const good = await revoke(organisation, given)
    const bad: [change: Partial<Token>, code: string][] = [
      [{ subject: member.did, nonce: Uint8Array.of(9) }, 'UCAN_SIGNATURE'],
      [{ expiresAtNs: NOW_NS + 2n * HOUR_NS }, 'UCAN_SIGNATURE'],
      [{ signature: undefined }, 'UCAN_SIGNATURE'],
      [{ action: 'delegate' }, 'REVOCATION_FORM'],
      [{ nonce: null }, 'REVOCATION_FORM'],
      [{ depth: 1n }, 'REVOCATION_FORM'],
      [{ topics: ['/nunet'] }, 'REVOCATION_FORM'],
      [{ audience: member.did }, 'REVOCATION_FORM'],
      [{ chain: given }, 'REVOCATION_FORM'],
      [
        { capabilities: Array.from({ length: 200 }, (_, index) => `/public/${'x'.repeat(20)}${index}`) },
        'REVOCATION_FORM'
      ]
    ]
    for (const [change, code] of bad) assert.equal(judge(node, { ...good, ...change }), code, code)
    const late = await revoke(organisation, { ...given, expiresAtNs: NOW_NS - 1n })
    assert.equal(judge(node, late), 'UCAN_EXPIRED')
  })
})

describe('a revocation by someone else', () => {
  it('is taken with the token it revokes, when its chain leads to someone the anchors name', async () => {
    const { node, member, passedOn } = setUp()
    const revocation = await revoke(member, passedOn)
    assert.equal(judge(node, revocation), 'REVOCATION_UNRELATED')
    assert.equal(judge(node, revocation, passedOn), 'ok')
    assert.deepEqual(chargedTo(node, revocation, passedOn), [member.did])
  })

  it('is charged to everybody below those named, so that nobody hides behind members of its own making', async () => {
    const { node, member, helper, passedOn } = setUp()
    const deeper = token(helper, { subject: identity('puppet').did, chain: passedOn })
    const revocation = await revoke(helper, deeper)
    assert.deepEqual(chargedTo(node, revocation, deeper), [member.did, helper.did].sort())
  })

  it('is refused with a proof that is about another token, forged, expired, revoked, or leads elsewhere', async () => {
    const { node, organisation, member, helper, given, passedOn } = setUp()
    const revocation = await revoke(member, passedOn)
    const own = token(member, { subject: helper.did, nonce: passedOn.nonce })
    const cases: [proof: Token, code: string][] = [
      [token(member, { subject: helper.did, chain: given }), 'REVOCATION_UNRELATED'],
      [own, 'REVOCATION_UNRELATED'],
      [{ ...passedOn, signature: new Uint8Array(64) }, 'UCAN_SIGNATURE'],
      [{ ...passedOn, chain: { ...given, signature: new Uint8Array(64) } }, 'UCAN_SIGNATURE'],
      [{ ...passedOn, expiresAtNs: NOW_NS - 1n }, 'UCAN_EXPIRED']
    ]
    for (const [proof, code] of cases) assert.equal(judge(node, revocation, proof), code)
    node.context.anchors.addRevoke([await revoke(organisation, given)])
    assert.equal(judge(node, revocation, passedOn), 'UCAN_REVOKED')
  })

  it('is refused with a proof that is too long to be shown', async () => {
    const { node, organisation, member, helper } = setUp()
    const capabilities = Array.from({ length: 250 }, (_, index) => `/public/${'x'.repeat(60)}${index}`)
    const given = token(organisation, { subject: member.did, capabilities: ['/'] })
    const passedOn = token(member, { subject: helper.did, chain: given, capabilities })
    const revocation = await revoke(member, { ...passedOn, capabilities: ['/public'] })
    assert.equal(judge(node, revocation, passedOn), 'REVOCATION_UNRELATED')
  })
})
