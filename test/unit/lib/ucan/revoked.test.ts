/** A caller whose token was revoked is told so; nobody else learns anything by it. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatTokenList, type Token } from '../../../../src/lib/ucan/index.ts'
import type { Did, Refusal } from '../../../../src/types/index.ts'
import { utf8ToBytes } from '../../../../src/utils/index.ts'
import { HOUR_NS, type Identity, identity, NOW_NS, party, token, verdict } from '../parties.ts'

type Party = ReturnType<typeof party>

const HELLO = '/public/hello'
const actor = identity('actor')

/** organisation → member → the member's node, and a receiver that takes the organisation's members in. */
async function network() {
  const [receiver, organisation, member, node] = [
    party('receiver'),
    party('organisation'),
    party('member'),
    party('node')
  ]
  const fields = { capabilities: ['/public', '/broadcast'], topics: ['/nunet'] }
  const given = token(organisation, { subject: member.did, ...fields })
  const passedOn = token(member, { subject: node.did, chain: given, ...fields })
  const anchor = token(receiver, { subject: organisation.did, ...fields })
  assert.equal(verdict(receiver.context.anchors.addRequire([anchor])), 'ok')
  return { receiver, organisation, member, node, given, passedOn, anchor }
}

async function revoke(issuer: Party, target: Token): Promise<Token> {
  const revocation = await issuer.context.revoke(target)
  assert.ok(revocation.ok)
  return revocation.value
}

/** What the receiver says to a message of `origin` with these tokens. */
function ask(
  receiver: Party,
  origin: Did,
  tokens: readonly Token[],
  subject: Did = actor.did
): Refusal | 'ok' {
  const consumed = receiver.context.consume(origin, utf8ToBytes(formatTokenList(tokens)))
  assert.ok(consumed.ok)
  const question = { origin, subject, audience: receiver.did, capabilities: [HELLO] }
  const result = receiver.context.authorizeInvocation(question, consumed.value)
  return result.ok ? 'ok' : result.error
}

function invocation(issuer: Identity, chain: Token, fields: Partial<Token> = {}): Token {
  return token(issuer, {
    action: 'invoke',
    subject: actor.did,
    capabilities: [HELLO],
    chain,
    ...fields
  })
}

describe('a caller whose token was revoked', () => {
  test('hears which link, and who took it back', async () => {
    const { receiver, organisation, member, node, given, passedOn } = await network()
    assert.equal(ask(receiver, node.did, [invocation(node, passedOn)]), 'ok')
    receiver.context.anchors.addRevoke([await revoke(organisation, given)])
    const refused = ask(receiver, node.did, [invocation(node, passedOn)])
    assert.ok(refused !== 'ok')
    assert.equal(refused.details?.['known'], true)
    const [cause, ...more] = refused.causes ?? []
    assert.deepEqual([cause?.code, more.length], ['UCAN_REVOKED', 0])
    assert.deepEqual(
      [cause?.details?.['position'], cause?.details?.['issuer'], cause?.details?.['subject']],
      [2, organisation.did, member.did]
    )
  })

  test('hears nothing of what else is trusted here', async () => {
    const { receiver, organisation, node, given, passedOn, anchor } = await network()
    receiver.context.anchors.addRevoke([await revoke(organisation, given)])
    // Beside the revoked chain it shows one that names nobody trusted.
    const selfSigned = token(node, { action: 'invoke', subject: actor.did, capabilities: [HELLO] })
    const refused = ask(receiver, node.did, [invocation(node, passedOn), selfSigned])
    assert.ok(refused !== 'ok')
    assert.deepEqual(
      refused.causes?.map(({ code }) => code),
      ['UCAN_REVOKED']
    )
    assert.equal(receiver.context.anchors.require.includes(anchor), true)
  })

  test('is a stranger when it cannot sign as the one the token was given to', async () => {
    const { receiver, organisation, member, node, given, passedOn } = await network()
    receiver.context.anchors.addRevoke([await revoke(organisation, given)])
    const strangers: Record<string, Refusal | 'ok'> = {
      'the tokens of another actor': ask(receiver, node.did, [invocation(node, passedOn)], member.did),
      'a forged leaf': ask(receiver, node.did, [
        invocation(node, passedOn, { signature: new Uint8Array(64) })
      ]),
      'a forged link': ask(receiver, node.did, [
        invocation(node, { ...passedOn, signature: new Uint8Array(64) })
      ]),
      'an expired leaf': ask(receiver, node.did, [invocation(node, passedOn, { expiresAtNs: NOW_NS - 1n })]),
      'a chain that was never good': ask(receiver, node.did, [
        invocation(node, passedOn, { capabilities: ['/dms'] })
      ])
    }
    for (const [name, refused] of Object.entries(strangers)) {
      assert.ok(refused !== 'ok', name)
      assert.equal(refused.details?.['known'], undefined, name)
    }
  })

  test('is a stranger when it shows a revocation, whatever stands below it', async () => {
    const { receiver, organisation, member, node, given } = await network()
    // Of a revocation only its own signature is verified, so anybody can put a chain of the organisation below it.
    const forged = { ...given, subject: node.did, signature: new Uint8Array(64) }
    const shown = {
      'a revocation of its own on a forged chain': token(node, {
        action: 'revoke',
        subject: node.did,
        chain: forged
      }),
      'the revocation of what it held': token(organisation, {
        action: 'revoke',
        subject: node.did,
        nonce: given.nonce
      })
    }
    for (const [name, revocation] of Object.entries(shown)) {
      const refused = ask(receiver, node.did, [revocation], node.did)
      assert.ok(refused !== 'ok', name)
      assert.equal(refused.details?.['known'], undefined, name)
      assert.deepEqual(
        refused.causes?.map(({ code, details }) => [code, details?.['held']]),
        [['UCAN_WRONG_ACTION', 'revoke']],
        name
      )
    }
    assert.equal(ask(receiver, member.did, [invocation(member, given)]), 'ok')
  })

  test('is a stranger to a receiver that never trusted its organisation', async () => {
    const { organisation, node, given, passedOn } = await network()
    const elsewhere = party('elsewhere')
    elsewhere.context.anchors.addRevoke([await revoke(organisation, given)])
    const refused = ask(elsewhere, node.did, [invocation(node, passedOn)])
    assert.ok(refused !== 'ok')
    assert.equal(refused.details?.['known'], undefined)
  })

  test('is let in by another token that stands', async () => {
    const { receiver, organisation, node, given, passedOn } = await network()
    receiver.context.anchors.addRevoke([await revoke(organisation, given)])
    const direct = token(organisation, { subject: node.did, capabilities: ['/public'] })
    assert.equal(ask(receiver, node.did, [invocation(node, passedOn), invocation(node, direct)]), 'ok')
  })

  test('who is known by another token as well hears about both', async () => {
    const { receiver, organisation, node, given, passedOn } = await network()
    receiver.context.anchors.addRevoke([await revoke(organisation, given)])
    const other = token(organisation, { subject: node.did, capabilities: ['/broadcast'] })
    const shown = [invocation(node, passedOn), invocation(node, other, { capabilities: ['/broadcast'] })]
    const refused = ask(receiver, node.did, shown)
    assert.ok(refused !== 'ok')
    assert.deepEqual(
      refused.causes?.map(({ code }) => code),
      ['UCAN_WRONG_CAPABILITY', 'UCAN_REVOKED']
    )
  })

  test('costs a bounded number of verifications', async () => {
    const { receiver, organisation, node, given, passedOn } = await network()
    receiver.context.anchors.addRevoke([await revoke(organisation, given)])
    const shown = Array.from({ length: 6 }, () => invocation(node, passedOn))
    const refused = ask(receiver, node.did, shown)
    assert.ok(refused !== 'ok')
    assert.equal(refused.causes?.length, 4)
  })
})

describe('the token that let a message in', () => {
  test('is told with its chain, once the message was authorised, and until it is done with', async () => {
    const { receiver, node, passedOn } = await network()
    const tokens = [
      token(node, { action: 'invoke', subject: actor.did, capabilities: [HELLO] }),
      invocation(node, passedOn)
    ]
    const consumed = receiver.context.consume(node.did, utf8ToBytes(formatTokenList(tokens)))
    assert.ok(consumed.ok)
    assert.equal(consumed.value.proof, undefined)
    const question = { origin: node.did, subject: actor.did, audience: receiver.did, capabilities: [HELLO] }
    assert.equal(verdict(receiver.context.authorizeInvocation(question, consumed.value)), 'ok')
    assert.deepEqual(consumed.value.proof, tokens[1])
    consumed.value.release()
    assert.equal(consumed.value.proof, undefined)
  })
})

describe('a revocation', () => {
  test('is not shortened by one of the same token that ends earlier', async () => {
    const { receiver, organisation, given } = await network()
    const long = await revoke(organisation, given)
    const short = await revoke(organisation, { ...given, expiresAtNs: NOW_NS + 1n })
    for (const order of [
      [long, short],
      [short, long]
    ]) {
      for (const each of order) assert.equal(verdict(receiver.context.anchors.addRevoke([each])), 'ok')
      assert.deepEqual(receiver.context.anchors.revoke, [long])
    }
    assert.equal(long.expiresAtNs, NOW_NS + HOUR_NS)
  })
})
