import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { keySigner, parseDid, publicKeyOfDid } from '../../../../src/lib/did/index.ts'
import {
  CapabilityError,
  type ConsumedTokens,
  createCapabilityContext,
  formatTokenList,
  type Token,
  verifyToken
} from '../../../../src/lib/ucan/index.ts'
import { TrustAnchors } from '../../../../src/lib/ucan/trust.ts'
import type { Did } from '../../../../src/types/index.ts'
import { renderRefusal, SeededRandom, utf8ToBytes, VirtualClock } from '../../../../src/utils/index.ts'
import {
  blobTokens,
  HOUR_NS,
  type Identity,
  identity,
  NOW_NS,
  party,
  SECOND_NS,
  token,
  verdict
} from '../parties.ts'

const EXP = NOW_NS + 30n * SECOND_NS
const HELLO = '/public/hello'

type Party = ReturnType<typeof party>

/** The actor of a sender or receiver; its key signs messages, not tokens. */
const actor = identity('actor')

function consume(receiver: Party, origin: Did, tokens: readonly Token[]): ConsumedTokens {
  const result = receiver.context.consume(origin, utf8ToBytes(formatTokenList(tokens)))
  assert.ok(result.ok, result.ok ? '' : result.error.message)
  return result.value
}

function invoke(receiver: Party, sender: Identity, tokens: ConsumedTokens, capability = HELLO): string {
  const question = {
    origin: sender.did,
    subject: actor.did,
    audience: receiver.did,
    capabilities: [capability]
  }
  return verdict(receiver.context.authorizeInvocation(question, tokens))
}

function broadcast(
  receiver: Party,
  sender: Identity,
  tokens: ConsumedTokens,
  topic = '/nunet/hello'
): string {
  const question = { origin: sender.did, subject: actor.did, topic, capabilities: [HELLO] }
  return verdict(receiver.context.authorizeBroadcast(question, tokens))
}

/** Provides, consumes and authorises one invocation. */
async function call(sender: Party, receiver: Party, capability = HELLO, expiresAtNs = EXP): Promise<string> {
  const blob = await sender.context.provideInvocation({
    target: receiver.did,
    subject: actor.did,
    audience: receiver.did,
    expiresAtNs,
    invoke: [capability],
    delegate: []
  })
  const tokens = receiver.context.consume(sender.did, blob)
  assert.ok(tokens.ok)
  return invoke(receiver, sender, tokens.value, capability)
}

async function callAll(sender: Party, receiver: Party, topic = '/nunet/hello'): Promise<string> {
  const request = { subject: actor.did, topic, expiresAtNs: EXP, broadcast: [HELLO] }
  const blob = await sender.context.provideBroadcast(request)
  const tokens = receiver.context.consume(sender.did, blob)
  assert.ok(tokens.ok)
  return broadcast(receiver, sender, tokens.value, topic)
}

function delegation(issuer: Identity, subject: Did, changes: Partial<Token> = {}): Token {
  return token(issuer, { subject, capabilities: ['/public'], ...changes })
}

describe('who may invoke', () => {
  test('a stranger with a self-signed token may not; the refusal says why', async () => {
    const [alice, bob] = [party('alice'), party('bob')]
    assert.equal(await call(bob, alice), 'UCAN_NOT_AUTHORIZED')
  })

  test('a root may do everything', async () => {
    const [alice, bob] = [party('alice'), party('bob')]
    assert.equal(alice.context.anchors.addRoot(bob.did), true)
    assert.equal(alice.context.anchors.addRoot(bob.did), false)
    assert.equal(await call(bob, alice, '/anything'), 'ok')
    assert.equal(alice.context.anchors.removeRoot(bob.did), true)
    assert.equal(await call(bob, alice, '/anything'), 'UCAN_NOT_AUTHORIZED')
  })

  test('what the owner delegated may be used, within its capabilities', async () => {
    const [alice, bob] = [party('alice'), party('bob')]
    assert.equal(verdict(bob.context.anchors.addProvide([delegation(alice, bob.did)])), 'ok')
    assert.equal(await call(bob, alice), 'ok')
    assert.equal(await call(bob, alice, '/private'), 'UCAN_NOT_AUTHORIZED')
  })

  test('a root may delegate on, each with a narrower token', async () => {
    const [alice, bob, carol] = [party('alice'), party('bob'), party('carol')]
    alice.context.anchors.addRoot(bob.did)
    const given = await bob.context.grant({
      action: 'delegate',
      subject: carol.did,
      topics: [],
      capabilities: [HELLO],
      expiresAtNs: EXP,
      depth: 0n
    })
    carol.context.anchors.addProvide([given])
    assert.equal(await call(carol, alice), 'ok')
    assert.equal(await call(carol, alice, '/public'), 'UCAN_NOT_AUTHORIZED')
  })

  test('a require anchor admits chains of its subject within its limits', async () => {
    const [alice, bob, network] = [party('alice'), party('bob'), party('network')]
    bob.context.anchors.addProvide([delegation(network, bob.did)])
    assert.equal(await call(bob, alice), 'UCAN_NOT_AUTHORIZED')
    alice.context.anchors.addRequire([delegation(alice, network.did)])
    assert.equal(await call(bob, alice), 'ok')
    assert.equal(await call(bob, alice, '/private'), 'UCAN_NOT_AUTHORIZED')
  })

  const limits: Record<string, [change: Partial<Token>, code: string]> = {
    'its capability is another': [{ capabilities: ['/other'] }, 'UCAN_ANCHOR_CAPABILITY'],
    'it covers a part of the capability only': [{ capabilities: [`${HELLO}/x`] }, 'UCAN_ANCHOR_CAPABILITY'],
    'it ends before the invocation': [{ expiresAtNs: EXP - 1n }, 'UCAN_ANCHOR_EXPIRY'],
    'its audience is another': [{ audience: identity('other').did }, 'UCAN_ANCHOR_AUDIENCE']
  }
  for (const [name, [change, code]] of Object.entries(limits)) {
    test(`a require anchor does not admit when ${name}`, async () => {
      const [alice, bob, network] = [party('alice'), party('bob'), party('network')]
      bob.context.anchors.addProvide([delegation(network, bob.did)])
      alice.context.anchors.addRequire([delegation(alice, network.did, change)])
      const blob = await bob.context.provideInvocation({
        target: alice.did,
        subject: actor.did,
        audience: alice.did,
        expiresAtNs: EXP,
        invoke: [HELLO],
        delegate: []
      })
      const tokens = consume(alice, bob.did, blobTokens(blob))
      const question = { origin: bob.did, subject: actor.did, audience: alice.did, capabilities: [HELLO] }
      const result = alice.context.authorizeInvocation(question, tokens)
      assert.ok(!result.ok)
      assert.match(renderRefusal(result.error), new RegExp(code))
    })
  }

  test('the depth of a require anchor counts from the leaf, the leaf itself being 0', () => {
    const [alice, bob, network] = [party('alice'), identity('bob'), identity('network')]
    const leaf = (depth: bigint): string => {
      const receiver = party(`alice ${depth}`)
      receiver.context.anchors.addRequire([
        token(alice, { subject: network.did, capabilities: ['/public'], depth })
      ])
      const middle = delegation(network, bob.did)
      const chain = delegation(bob, actor.did, { chain: middle })
      const item = token(actor, { action: 'invoke', subject: actor.did, capabilities: [HELLO], chain })
      return invoke(receiver, actor, consume(receiver, actor.did, [item]))
    }
    assert.deepEqual([leaf(0n), leaf(1n), leaf(2n)], ['ok', 'UCAN_NOT_AUTHORIZED', 'ok'])
  })

  test('a require anchor admits nothing that names no capability', () => {
    const [alice, bob] = [party('alice'), identity('bob')]
    alice.context.anchors.addRequire([delegation(alice, bob.did)])
    const item = token(bob, { action: 'invoke', subject: actor.did, capabilities: [] })
    const stranger = identity('stranger')
    assert.equal(invoke(alice, bob, consume(alice, stranger.did, [item])), 'UCAN_NOT_AUTHORIZED')
  })

  test('all capabilities of the token must be covered by the require anchor', () => {
    const [alice, bob] = [party('alice'), identity('bob')]
    alice.context.anchors.addRequire([delegation(alice, bob.did)])
    const item = token(bob, { action: 'invoke', subject: actor.did, capabilities: [HELLO, '/private'] })
    assert.equal(invoke(alice, bob, consume(alice, bob.did, [item])), 'UCAN_NOT_AUTHORIZED')
  })

  test('action, subject, audience and expiry of the leaf count', async () => {
    const [alice, bob] = [party('alice'), identity('bob')]
    alice.context.anchors.addRoot(bob.did)
    const good: Partial<Token> & Pick<Token, 'subject'> = {
      action: 'invoke',
      subject: actor.did,
      audience: alice.did,
      capabilities: [HELLO]
    }
    const codes: [Partial<Token>, string][] = [
      [{}, 'ok'],
      [{ audience: undefined }, 'ok'],
      [{ action: 'delegate' }, 'UCAN_NOT_AUTHORIZED'],
      [{ action: 'broadcast' }, 'UCAN_NOT_AUTHORIZED'],
      [{ action: 'dance' }, 'UCAN_NOT_AUTHORIZED'],
      [{ subject: bob.did }, 'UCAN_NOT_AUTHORIZED'],
      [{ audience: bob.did }, 'UCAN_NOT_AUTHORIZED'],
      [{ capabilities: [] }, 'UCAN_NOT_AUTHORIZED'],
      [{ capabilities: null }, 'UCAN_NOT_AUTHORIZED'],
      [{ capabilities: [`${HELLO}/x`] }, 'UCAN_NOT_AUTHORIZED'],
      [{ capabilities: ['/x', '/public'] }, 'ok'],
      [{ expiresAtNs: NOW_NS - 1n }, 'UCAN_NOT_AUTHORIZED']
    ]
    for (const [change, code] of codes) {
      const tokens = consume(alice, bob.did, [token(bob, { ...good, ...change })])
      assert.equal(invoke(alice, bob, tokens), code, JSON.stringify(Object.keys(change)))
    }
  })

  test('any one of several capabilities suffices, none is never enough', () => {
    const [alice, bob] = [party('alice'), identity('bob')]
    alice.context.anchors.addRoot(bob.did)
    const tokens = consume(alice, bob.did, [
      token(bob, { action: 'invoke', subject: actor.did, capabilities: ['/b'] })
    ])
    const ask = (capabilities: string[]): string =>
      verdict(
        alice.context.authorizeInvocation(
          { origin: bob.did, subject: actor.did, audience: alice.did, capabilities },
          tokens
        )
      )
    assert.deepEqual(
      [ask(['/a', '/b']), ask(['/a']), ask([])],
      ['ok', 'UCAN_NOT_AUTHORIZED', 'UCAN_NOT_AUTHORIZED']
    )
  })

  test('a token whose time passes while the message waits is refused', async () => {
    const clock = new VirtualClock()
    const [alice, bob] = [party('alice', clock), identity('bob')]
    alice.context.anchors.addRoot(bob.did)
    const tokens = consume(alice, bob.did, [
      token(bob, { action: 'invoke', subject: actor.did, capabilities: ['/public'], expiresAtNs: EXP })
    ])
    assert.equal(invoke(alice, bob, tokens), 'ok')
    await clock.advance(30_001)
    assert.equal(invoke(alice, bob, tokens), 'UCAN_NOT_AUTHORIZED')
  })
})

describe('who may broadcast', () => {
  test('a require anchor with the topic admits; without it, or for another topic, not', async () => {
    const [alice, bob, network] = [party('alice'), party('bob'), party('network')]
    bob.context.anchors.addProvide([delegation(network, bob.did, { topics: ['/nunet'] })])
    alice.context.anchors.addRequire([delegation(alice, network.did)])
    assert.equal(await callAll(bob, alice), 'UCAN_NOT_AUTHORIZED')
    alice.context.anchors.addRequire([delegation(alice, network.did, { topics: ['/nunet'] })])
    assert.equal(await callAll(bob, alice), 'ok')
    assert.equal(await callAll(bob, alice, '/other'), 'UCAN_NOT_AUTHORIZED')
  })

  test('the token must be for anyone, for the topic, and a broadcast', () => {
    const [alice, bob] = [party('alice'), identity('bob')]
    alice.context.anchors.addRoot(bob.did)
    const good: Partial<Token> & Pick<Token, 'subject'> = {
      action: 'broadcast',
      subject: actor.did,
      topics: ['/nunet'],
      capabilities: [HELLO]
    }
    const codes: [Partial<Token>, string][] = [
      [{}, 'ok'],
      [{ audience: alice.did }, 'UCAN_NOT_AUTHORIZED'],
      [{ topics: [] }, 'UCAN_NOT_AUTHORIZED'],
      [{ topics: ['/nunet/hello/x'] }, 'UCAN_NOT_AUTHORIZED'],
      [{ action: 'invoke' }, 'UCAN_NOT_AUTHORIZED'],
      [{ capabilities: ['/private'] }, 'UCAN_NOT_AUTHORIZED']
    ]
    for (const [change, code] of codes) {
      const tokens = consume(alice, bob.did, [token(bob, { ...good, ...change })])
      assert.equal(broadcast(alice, bob, tokens), code, JSON.stringify(Object.keys(change)))
    }
  })
})

describe('tokens of a message', () => {
  test('count for that message only: another message without tokens is refused', async () => {
    const [alice, bob] = [party('alice'), party('bob')]
    alice.context.anchors.addRoot(bob.did)
    const item = token(bob, { action: 'invoke', subject: actor.did, capabilities: ['/public'] })
    const first = consume(alice, bob.did, [item])
    assert.equal(invoke(alice, bob, first), 'ok')
    assert.equal(invoke(alice, bob, consume(alice, bob.did, [])), 'UCAN_NOT_AUTHORIZED')
    first.release()
    first.release()
    assert.equal(invoke(alice, bob, first), 'UCAN_NOT_AUTHORIZED')
  })

  test('consumed by another context, or made up, they count for nothing', () => {
    const [alice, bob, carol] = [party('alice'), party('bob'), party('carol')]
    alice.context.anchors.addRoot(bob.did)
    const item = token(bob, { action: 'invoke', subject: actor.did, capabilities: ['/public'] })
    assert.equal(invoke(alice, bob, consume(carol, bob.did, [item])), 'UCAN_NOT_AUTHORIZED')
    assert.equal(invoke(alice, bob, { release: () => undefined }), 'UCAN_NOT_AUTHORIZED')
  })

  test('the blob is bounded and must be a token list', () => {
    const { context, did } = party('alice')
    assert.equal(verdict(context.consume(did, new Uint8Array(16_385).fill(0x20))), 'UCAN_BLOB_TOO_BIG')
    const padded = new Uint8Array(16_384).fill(0x20)
    padded.set(utf8ToBytes('{}'))
    assert.equal(verdict(context.consume(did, padded)), 'ok')
    for (const text of ['', '[]', '{"tok":[null]}', 'null']) {
      assert.equal(verdict(context.consume(did, utf8ToBytes(text))), 'UCAN_MALFORMED', text)
    }
    assert.equal(verdict(context.consume(did, Uint8Array.of(0xff))), 'UCAN_MALFORMED')
  })

  test('one bad token does not spoil the others, and its reason shows when the rest does not suffice', () => {
    const [alice, bob] = [party('alice'), identity('bob')]
    alice.context.anchors.addRoot(bob.did)
    const good = token(bob, { action: 'invoke', subject: actor.did, capabilities: ['/public'] })
    const forged = { ...good, signature: new Uint8Array(64) }
    assert.equal(invoke(alice, bob, consume(alice, bob.did, [forged, good])), 'ok')
    const question = { origin: bob.did, subject: actor.did, audience: alice.did, capabilities: [HELLO] }
    const result = alice.context.authorizeInvocation(question, consume(alice, bob.did, [forged]))
    assert.ok(!result.ok)
    assert.deepEqual(
      result.error.causes?.map(cause => cause.code),
      ['UCAN_SIGNATURE']
    )
  })

  test('the refusal is a tree: the question, each token with its rule, and the require anchor that came close', async () => {
    const [alice, bob, network] = [party('alice'), party('bob'), party('network')]
    bob.context.anchors.addProvide([delegation(network, bob.did, { capabilities: ['/'] })])
    alice.context.anchors.addRequire([delegation(alice, network.did)])
    const blob = await bob.context.provideInvocation({
      target: alice.did,
      subject: actor.did,
      audience: alice.did,
      expiresAtNs: EXP,
      invoke: ['/private'],
      delegate: []
    })
    const question = { origin: bob.did, subject: actor.did, audience: alice.did, capabilities: ['/private'] }
    const result = alice.context.authorizeInvocation(question, consume(alice, bob.did, blobTokens(blob)))
    assert.ok(!result.ok)
    const lines = renderRefusal(result.error).split('\n')
    assert.match(
      lines[0] ?? '',
      /^did:key:z6Mk\S+ is not authorised to invoke '\/private' \(UCAN_NOT_AUTHORIZED\)$/
    )
    assert.match(lines[1] ?? '', /^├─ token 1 of 2 .* \(UCAN_NOT_ANCHORED\)$/)
    assert.match(
      lines[2] ?? '',
      /^│ {2}└─ .*\(require anchor\) covers '\/public', not '\/private' \(UCAN_ANCHOR_CAPABILITY\)$/
    )
    assert.match(lines[3] ?? '', /^└─ token .* \(UCAN_NOT_ANCHORED\)$/)
    JSON.stringify(result.error)
  })
})

describe('bounds', () => {
  test('more tokens than are looked at refuse the message', () => {
    const { context, did } = party('alice')
    const short = '{"dms":{"act":"invoke","iss":{"uri":"did:a:b"},"sub":{"uri":"did:a:b"}}}'
    const list = (count: number): Uint8Array => utf8ToBytes(`{"tok":[${Array(count).fill(short).join(',')}]}`)
    assert.equal(verdict(context.consume(did, list(64))), 'ok')
    assert.equal(verdict(context.consume(did, list(65))), 'UCAN_TOO_MANY_TOKENS')
  })

  test('anchors of a kind are bounded; at the bound nothing is added and nothing evicted', async () => {
    const alice = identity('alice')
    const anchors = new TrustAnchors({ clock: new VirtualClock() }, { owner: alice.did, maxAnchors: 2 })
    const some = (count: number): Token[] => Array.from({ length: count }, () => delegation(alice, alice.did))
    const revocations = some(3).map(item => token(alice, { ...item, action: 'revoke', signature: undefined }))
    assert.equal(verdict(anchors.addRequire(some(3))), 'UCAN_TOO_MANY_ANCHORS')
    assert.equal(verdict(anchors.addProvide(some(2))), 'ok')
    assert.equal(verdict(anchors.addProvide(some(1))), 'UCAN_TOO_MANY_ANCHORS')
    assert.equal(verdict(anchors.addRevoke(revocations)), 'UCAN_TOO_MANY_ANCHORS')
    assert.deepEqual([anchors.require.length, anchors.provide.length, anchors.revoke.length], [0, 2, 0])
    const added = ['x', 'y', 'z'].map(name => anchors.addRoot(identity(name).did))
    assert.deepEqual(added, [true, true, false])
  })

  test('a request names at most as many capabilities as a token holds', async () => {
    const { context, did } = party('alice')
    const capabilities = Array.from({ length: 257 }, (_, index) => `/a${index}`)
    const request = {
      action: 'delegate' as const,
      subject: did,
      topics: [],
      capabilities,
      expiresAtNs: EXP,
      depth: 0n
    }
    await assert.rejects(context.grant(request), { code: 'UCAN_INVALID_REQUEST' })
  })

  test('what strangers show is not remembered, and so cannot push out what members show', () => {
    const [member, stranger, friend, root] = [party('m'), party('s'), party('f'), party('r')]
    let verified = 0
    const { context } = createCapabilityContext({
      clock: new VirtualClock(),
      random: new SeededRandom('r'),
      owner: root.did,
      keyOf: did => {
        verified++
        return publicKeyOfDid(did)
      }
    })
    context.anchors.addRoot(root.did)
    const costs = (given: Token, by: Party): number => {
      verified = 0
      const shown = token(by, { action: 'invoke', subject: actor.did, capabilities: [HELLO], chain: given })
      assert.ok(context.consume(by.did, utf8ToBytes(formatTokenList([shown]))).ok)
      return verified
    }
    const given = token(root, { subject: member.did, capabilities: [HELLO] })
    const foreign = token(friend, { subject: stranger.did, capabilities: [HELLO] })
    assert.deepEqual([costs(given, member), costs(given, member)], [2, 1])
    assert.deepEqual([costs(foreign, stranger), costs(foreign, stranger)], [2, 2])
  })
})

describe('DIDs of other methods', () => {
  const prism = parseDid('did:prism:abc')
  const alice = identity('alice')
  const deps = {
    clock: new VirtualClock(),
    random: new SeededRandom(1),
    owner: prism,
    signer: { ...keySigner(alice.key), did: prism }
  }
  const request = {
    action: 'delegate' as const,
    subject: alice.did,
    topics: [],
    capabilities: ['/a'],
    expiresAtNs: EXP,
    depth: 0n
  }

  test('issue and verify when their keys are supplied', async () => {
    const { context } = createCapabilityContext({
      ...deps,
      keyOf: did => (did === prism ? alice.key.publicKey : publicKeyOfDid(did))
    })
    assert.equal(verdict(context.anchors.addRequire([await context.grant(request)])), 'ok')
  })

  test('without them the signature cannot be checked', async () => {
    const { context } = createCapabilityContext(deps)
    await assert.rejects(context.grant(request), { code: 'UCAN_SIGNER_FAILED' })
  })
})

describe('tokens for outgoing messages', () => {
  test('an invocation: chained on each provide anchor that allows it, then self-signed, then the reply delegation', async () => {
    const [alice, bob] = [party('alice'), party('bob')]
    const anchors = [
      delegation(alice, bob.did),
      delegation(alice, bob.did, { capabilities: ['/'] }),
      delegation(alice, bob.did, { capabilities: ['/x'] })
    ]
    bob.context.anchors.addProvide(anchors)
    const tokens = blobTokens(
      await bob.context.provideInvocation({
        target: alice.did,
        subject: actor.did,
        audience: alice.did,
        expiresAtNs: EXP,
        invoke: [HELLO],
        delegate: ['/reply/1']
      })
    )
    assert.deepEqual(
      tokens.map(item => [item.action, item.chain?.capabilities?.[0]]),
      [
        ['invoke', '/public'],
        ['invoke', '/'],
        ['invoke', undefined],
        ['delegate', undefined]
      ]
    )
    for (const item of tokens) assert.equal(verdict(verifyToken(item, { nowNs: NOW_NS })), 'ok')
    for (const item of tokens.slice(0, 3)) {
      assert.deepEqual(
        [
          item.issuer,
          item.subject,
          item.audience,
          item.topics,
          item.capabilities,
          item.expiresAtNs,
          item.depth
        ],
        [bob.did, actor.did, alice.did, [], [HELLO], EXP, 0n]
      )
      assert.equal(item.nonce?.length, 12)
    }
    const reply = tokens[3]
    assert.deepEqual(
      [reply?.issuer, reply?.subject, reply?.audience, reply?.capabilities, reply?.expiresAtNs, reply?.depth],
      [bob.did, alice.did, actor.did, ['/reply/1'], EXP, 1n]
    )
  })

  test('a broadcast: for anyone, with its topic, without reply delegation', async () => {
    const [alice, bob] = [party('alice'), party('bob')]
    bob.context.anchors.addProvide([
      delegation(alice, bob.did, { topics: ['/nunet'] }),
      delegation(alice, bob.did),
      delegation(alice, bob.did, { topics: ['/nunet'], audience: alice.did })
    ])
    const tokens = blobTokens(
      await bob.context.provideBroadcast({
        subject: actor.did,
        topic: '/nunet/hello',
        expiresAtNs: EXP,
        broadcast: [HELLO]
      })
    )
    assert.deepEqual(
      tokens.map(item => [item.action, item.audience, item.topics, item.chain !== undefined]),
      [
        ['broadcast', undefined, ['/nunet/hello'], true],
        ['broadcast', undefined, ['/nunet/hello'], false]
      ]
    )
  })

  test('what is lacking for a broadcast is said for each provide anchor; one that suffices is enough', async () => {
    const clock = new VirtualClock()
    const alice = party('alice', clock)
    const org = identity('org')
    const need = { topic: '/nunet/deployment', capabilities: ['/dms/deployment/request'] }
    const none = alice.context.lacksBroadcastProof(need)
    assert.equal(none?.code, 'UCAN_NO_PROOF')
    assert.equal(none?.causes, undefined)

    const held = { subject: alice.did, capabilities: ['/dms/deployment'] }
    const dying = token(org, { ...held, topics: ['/nunet'], expiresAtNs: NOW_NS + SECOND_NS })
    assert.ok(alice.context.anchors.addProvide([dying, token(org, { ...held, topics: ['/other'] })]).ok)
    assert.equal(alice.context.lacksBroadcastProof(need), undefined)
    await clock.advance(2000)
    const causes = alice.context.lacksBroadcastProof(need)?.causes?.map(cause => cause.code)
    assert.deepEqual(causes, ['UCAN_EXPIRED', 'UCAN_TOPIC_WIDENED'])

    const many = Array.from({ length: 20 }, () => token(org, { ...held, topics: ['/other'] }))
    assert.ok(alice.context.anchors.addProvide(many).ok)
    assert.equal(alice.context.lacksBroadcastProof(need)?.causes?.length, 16)
  })

  test('anchors that expire too early, are spent in depth, or for another audience are left out', async () => {
    const [alice, bob] = [party('alice'), party('bob')]
    const spent = token(bob, {
      subject: bob.did,
      capabilities: ['/public'],
      chain: delegation(alice, bob.did, { depth: 1n })
    })
    bob.context.anchors.addProvide([
      delegation(alice, bob.did, { expiresAtNs: EXP - 1n }),
      spent,
      delegation(alice, bob.did, { audience: bob.did })
    ])
    assert.equal(bob.context.anchors.provide.length, 3)
    const blob = await bob.context.provideInvocation({
      target: alice.did,
      subject: actor.did,
      audience: alice.did,
      expiresAtNs: EXP,
      invoke: [HELLO],
      delegate: []
    })
    assert.equal(blobTokens(blob).length, 1)
  })

  test('however many anchors there are, the blob stays within what a receiver takes', async () => {
    const [alice, bob] = [party('alice'), party('bob')]
    const long = Array.from({ length: 40 }, (_, index) => `/public/${'x'.repeat(100)}${index}`)
    bob.context.anchors.addProvide(
      Array.from({ length: 20 }, () => delegation(alice, bob.did, { capabilities: ['/public', ...long] }))
    )
    const blob = await bob.context.provideInvocation({
      target: alice.did,
      subject: actor.did,
      audience: alice.did,
      expiresAtNs: EXP,
      invoke: [HELLO],
      delegate: ['/reply/1']
    })
    assert.ok(blob.length <= 16_384)
    assert.deepEqual(
      blobTokens(blob)
        .slice(-2)
        .map(item => [item.action, item.chain]),
      [
        ['invoke', undefined],
        ['delegate', undefined]
      ]
    )
    assert.equal(invoke(alice, bob, consume(alice, bob.did, blobTokens(blob))), 'ok')
  })

  test('a reply is chained on the delegation of the request and admitted by the asker, who knows no one', async () => {
    const [asker, replier] = [party('asker'), party('replier')]
    const request = await asker.context.provideInvocation({
      target: replier.did,
      subject: actor.did,
      audience: replier.did,
      expiresAtNs: EXP,
      invoke: [HELLO],
      delegate: ['/reply/1']
    })
    const held = consume(replier, asker.did, blobTokens(request))
    const back = {
      target: asker.did,
      subject: replier.did,
      audience: actor.did,
      expiresAtNs: EXP,
      invoke: ['/reply/1'],
      delegate: []
    }
    const reply = await replier.context.provideInvocation({ ...back, tokens: held })
    const ask = (blob: Uint8Array, capability: string, audience = actor.did): string =>
      verdict(
        asker.context.authorizeInvocation(
          { origin: replier.did, subject: replier.did, audience, capabilities: [capability] },
          consume(asker, replier.did, blobTokens(blob))
        )
      )
    assert.equal(ask(reply, '/reply/1'), 'ok')
    assert.equal(ask(reply, '/reply/2'), 'UCAN_NOT_AUTHORIZED')
    assert.equal(ask(reply, '/reply/1', asker.did), 'UCAN_NOT_AUTHORIZED')
    held.release()
    assert.equal(
      ask(await replier.context.provideInvocation({ ...back, tokens: held }), '/reply/1'),
      'UCAN_NOT_AUTHORIZED'
    )
  })

  test('a reply is chained only on what was given to the replier for this use', async () => {
    const [asker, replier] = [party('asker'), party('replier')]
    const reply = { capabilities: ['/reply/1'], expiresAtNs: EXP }
    const held = consume(replier, asker.did, [
      token(asker, { ...reply, subject: asker.did }),
      token(asker, { ...reply, subject: replier.did, action: 'invoke' }),
      token(asker, { ...reply, subject: replier.did, audience: asker.did }),
      token(asker, { ...reply, subject: replier.did, capabilities: ['/reply/2'] }),
      token(asker, { ...reply, subject: replier.did, topics: ['/t'] })
    ])
    const back = {
      target: asker.did,
      subject: replier.did,
      audience: actor.did,
      expiresAtNs: EXP,
      invoke: ['/reply/1'],
      delegate: []
    }
    const made = blobTokens(await replier.context.provideInvocation({ ...back, tokens: held }))
    assert.deepEqual(
      made.map(item => item.chain?.topics),
      [['/t'], undefined]
    )
  })

  test('the reply delegation cannot be passed on', async () => {
    const [asker, replier, other] = [party('asker'), party('replier'), party('other')]
    const request = await asker.context.provideInvocation({
      target: replier.did,
      subject: actor.did,
      audience: replier.did,
      expiresAtNs: EXP,
      invoke: [HELLO],
      delegate: ['/reply/1']
    })
    const chain = blobTokens(request).at(-1)
    const passed = token(replier, {
      subject: other.did,
      audience: actor.did,
      capabilities: ['/reply/1'],
      expiresAtNs: EXP,
      chain
    })
    const used = token(other, {
      action: 'invoke',
      subject: other.did,
      audience: actor.did,
      capabilities: ['/reply/1'],
      expiresAtNs: EXP,
      chain: passed
    })
    assert.equal(verdict(verifyToken(used, { nowNs: NOW_NS })), 'UCAN_DEPTH')
  })

  test('without names, or without signer, nothing is made', async () => {
    const alice = party('alice')
    const request = {
      target: alice.did,
      subject: actor.did,
      audience: alice.did,
      expiresAtNs: EXP,
      delegate: []
    }
    for (const invoke of [[], ['']]) {
      await assert.rejects(alice.context.provideInvocation({ ...request, invoke }), CapabilityError)
    }
    const { context } = createCapabilityContext({
      clock: new VirtualClock(),
      random: new SeededRandom(1),
      owner: alice.did
    })
    await assert.rejects(context.provideInvocation({ ...request, invoke: ['/a'] }), {
      code: 'UCAN_NO_SIGNER'
    })
  })
})

describe('granting and delegating', () => {
  const base = {
    action: 'delegate' as const,
    topics: [],
    capabilities: ['/public'],
    expiresAtNs: EXP,
    depth: 0n
  }

  test('a grant is self-signed with exactly the asked fields', async () => {
    const [alice, bob] = [party('alice'), identity('bob')]
    const given = await alice.context.grant({
      ...base,
      subject: bob.did,
      audience: bob.did,
      topics: ['/t'],
      depth: 3n
    })
    assert.equal(verdict(verifyToken(given, { nowNs: NOW_NS })), 'ok')
    assert.deepEqual(
      [given.issuer, given.subject, given.audience, given.topics, given.depth, given.chain],
      [alice.did, bob.did, bob.did, ['/t'], 3n, undefined]
    )
    assert.equal(alice.context.anchors.require.length, 0)
  })

  test('odd names and a missing expiry are refused before anything is signed', async () => {
    const { context, did } = party('alice')
    for (const capabilities of [[''], ['/a/'], ['/a//b'], ['/../a'], ['a']]) {
      await assert.rejects(
        context.grant({ ...base, subject: did, capabilities }),
        { code: 'UCAN_INVALID_REQUEST' },
        capabilities.join()
      )
    }
    await assert.rejects(context.grant({ ...base, subject: did, topics: [''] }), {
      code: 'UCAN_INVALID_REQUEST'
    })
    await assert.rejects(context.grant({ ...base, subject: did, expiresAtNs: 0n }), {
      code: 'UCAN_INVALID_REQUEST'
    })
    await assert.rejects(context.delegate({ ...base, subject: did, expiresAtNs: 0n, selfSign: 'also' }), {
      code: 'UCAN_INVALID_REQUEST'
    })
  })

  test('a signature that is not the owner’s is noticed', async () => {
    const [alice, bob] = [identity('alice'), identity('bob')]
    const signer = { ...keySigner(bob.key), did: alice.did }
    const { context } = createCapabilityContext({
      clock: new VirtualClock(),
      random: new SeededRandom(1),
      owner: alice.did,
      signer
    })
    await assert.rejects(context.grant({ ...base, subject: bob.did }), { code: 'UCAN_SIGNER_FAILED' })
  })

  test('a signer of another DID is refused at once', () => {
    const [alice, bob] = [identity('alice'), identity('bob')]
    const deps = {
      clock: new VirtualClock(),
      random: new SeededRandom(1),
      owner: alice.did,
      signer: keySigner(bob.key)
    }
    assert.throws(() => createCapabilityContext(deps), { code: 'UCAN_WRONG_OWNER' })
  })

  test('delegations are chained on every provide anchor that covers all that is asked', async () => {
    const [alice, bob, carol] = [identity('alice'), party('bob'), identity('carol')]
    bob.context.anchors.addProvide([
      delegation(alice, bob.did),
      delegation(alice, bob.did, { capabilities: ['/'] }),
      delegation(alice, bob.did, { capabilities: ['/x'] })
    ])
    for (const [selfSign, chained] of [
      ['no', [true, true]],
      ['also', [true, true, false]],
      ['only', [false]]
    ] as const) {
      const made = await bob.context.delegate({ ...base, subject: carol.did, selfSign })
      assert.ok(made.ok)
      assert.deepEqual(
        made.value.map(item => item.chain !== undefined),
        chained,
        selfSign
      )
      for (const item of made.value) assert.equal(verdict(verifyToken(item, { nowNs: NOW_NS })), 'ok')
    }
  })

  test('expiry 0 takes each parent’s own', async () => {
    const [alice, bob, carol] = [identity('alice'), party('bob'), identity('carol')]
    bob.context.anchors.addProvide([
      delegation(alice, bob.did, { expiresAtNs: EXP + 1n }),
      delegation(alice, bob.did, { expiresAtNs: EXP + 2n })
    ])
    const made = await bob.context.delegate({ ...base, subject: carol.did, expiresAtNs: 0n, selfSign: 'no' })
    assert.ok(made.ok)
    assert.deepEqual(
      made.value.map(item => item.expiresAtNs),
      [EXP + 1n, EXP + 2n]
    )
  })

  test('no dead ends: a depth that only allows use is not delegated on', async () => {
    const [alice, bob, carol] = [identity('alice'), party('bob'), identity('carol')]
    bob.context.anchors.addProvide([delegation(alice, bob.did, { depth: 1n })])
    const made = await bob.context.delegate({ ...base, subject: carol.did, selfSign: 'no' })
    assert.ok(!made.ok)
    assert.deepEqual(
      made.error.causes?.map(cause => cause.code),
      ['UCAN_DEPTH']
    )
  })

  test('when nothing can be delegated, each anchor says what it lacks', async () => {
    const [alice, bob, carol] = [identity('alice'), party('bob'), identity('carol')]
    const ask = { ...base, subject: carol.did, topics: ['/t'], selfSign: 'no' as const }
    assert.equal(verdict(await bob.context.delegate(ask)), 'UCAN_NOT_AUTHORIZED')
    bob.context.anchors.addProvide([
      delegation(alice, bob.did),
      delegation(alice, bob.did, { capabilities: ['/x'] }),
      delegation(alice, bob.did, { topics: ['/t'], audience: alice.did }),
      delegation(alice, bob.did, { topics: ['/t'], expiresAtNs: EXP - 1n })
    ])
    const made = await bob.context.delegate(ask)
    assert.ok(!made.ok)
    assert.deepEqual(
      made.error.causes?.map(cause => cause.code),
      ['UCAN_TOPIC_WIDENED', 'UCAN_CAPABILITY_WIDENED', 'UCAN_AUDIENCE_WIDENED', 'UCAN_CHAIN_EXPIRY']
    )
    assert.deepEqual(await bob.context.delegate({ ...ask, capabilities: [] }), { ok: true, value: [] })
  })
})

describe('anchors', () => {
  test('two grants that differ in topics only are both kept', () => {
    const { context, did } = party('bob')
    const alice = identity('alice')
    context.anchors.addProvide([delegation(alice, did, { topics: ['/one'] })])
    context.anchors.addProvide([delegation(alice, did, { topics: ['/two'], capabilities: ['/'] })])
    context.anchors.addRequire([
      delegation(alice, did, { topics: ['/one'] }),
      delegation(alice, did, { topics: ['/two'] })
    ])
    assert.equal(context.anchors.provide.length, 2)
    assert.equal(context.anchors.require.length, 2)
  })

  test('the very same token is kept once', () => {
    const { context, did } = party('bob')
    const item = delegation(identity('alice'), did)
    context.anchors.addProvide([item, item])
    context.anchors.addProvide([{ ...item }])
    assert.equal(context.anchors.provide.length, 1)
  })

  test('adding is all or nothing, and says which tokens failed', () => {
    const { context, did } = party('bob')
    const alice = identity('alice')
    const good = delegation(alice, did)
    const forged = { ...delegation(alice, did), signature: new Uint8Array(64) }
    assert.equal(verdict(context.anchors.addRequire([good, forged])), 'UCAN_SIGNATURE')
    const both = context.anchors.addProvide([
      forged,
      delegation(alice, alice.did),
      token(alice, { subject: did, action: 'invoke' })
    ])
    assert.ok(!both.ok)
    assert.deepEqual(
      both.error.causes?.map(cause => cause.code),
      ['UCAN_SIGNATURE', 'UCAN_NOT_FOR_OWNER', 'UCAN_NOT_DELEGATION']
    )
    assert.deepEqual([context.anchors.require.length, context.anchors.provide.length], [0, 0])
  })

  test('are removed by issuer and nonce, and then no longer count', async () => {
    const [alice, bob] = [party('alice'), party('bob')]
    const anchor = delegation(alice, bob.did)
    alice.context.anchors.addRequire([anchor])
    assert.equal(await call(bob, alice), 'ok')
    assert.equal(alice.context.anchors.removeRequire(delegation(alice, bob.did)), false)
    assert.equal(alice.context.anchors.removeRequire({ ...anchor, capabilities: [] }), true)
    assert.equal(alice.context.anchors.removeRequire(anchor), false)
    assert.equal(await call(bob, alice), 'UCAN_NOT_AUTHORIZED')
    bob.context.anchors.addProvide([anchor])
    assert.equal(bob.context.anchors.removeProvide(anchor), true)
    assert.equal(bob.context.anchors.provide.length, 0)
  })

  test('expired ones are swept, and do not count before the sweep', async () => {
    const clock = new VirtualClock()
    const [alice, bob] = [party('alice', clock), party('bob', clock)]
    alice.context.anchors.addRequire([delegation(alice, bob.did, { expiresAtNs: EXP })])
    const revoked = await alice.context.revoke(delegation(alice, bob.did, { expiresAtNs: EXP }))
    assert.ok(revoked.ok)
    alice.context.anchors.addRevoke([revoked.value])
    assert.equal(alice.context.anchors.collectGarbage(), 0)
    await clock.advance(30_001)
    assert.equal(await call(bob, alice, HELLO, clock.nowNs() + SECOND_NS), 'UCAN_NOT_AUTHORIZED')
    assert.equal(alice.context.anchors.collectGarbage(), 2)
    assert.deepEqual([alice.context.anchors.require, alice.context.anchors.revoke], [[], []])
  })

  test('the proof is found among thousands of anchors', async () => {
    const [alice, bob] = [party('alice'), party('bob')]
    for (let index = 0; index < 200; index++) {
      alice.context.anchors.addRequire([
        delegation(alice, bob.did, { capabilities: [`/public/other${index}`] })
      ])
    }
    assert.equal(await call(bob, alice), 'UCAN_NOT_AUTHORIZED')
    alice.context.anchors.addRequire([delegation(alice, bob.did)])
    assert.equal(await call(bob, alice), 'ok')
  })
})

describe('revoking', () => {
  test('takes effect at once: on anchors, on held tokens, on new messages', async () => {
    const [alice, bob] = [party('alice'), party('bob')]
    const given = delegation(alice, bob.did)
    bob.context.anchors.addProvide([given])
    const blob = await bob.context.provideInvocation({
      target: alice.did,
      subject: actor.did,
      audience: alice.did,
      expiresAtNs: EXP,
      invoke: [HELLO],
      delegate: []
    })
    const held = consume(alice, bob.did, blobTokens(blob))
    assert.equal(invoke(alice, bob, held), 'ok')
    const revocation = await alice.context.revoke(given)
    assert.ok(revocation.ok)
    assert.equal(verdict(alice.context.anchors.addRevoke([revocation.value])), 'ok')
    assert.equal(invoke(alice, bob, held), 'UCAN_NOT_AUTHORIZED')
    assert.equal(invoke(alice, bob, consume(alice, bob.did, blobTokens(blob))), 'UCAN_NOT_AUTHORIZED')
    bob.context.anchors.addRevoke([revocation.value])
    assert.equal(bob.context.anchors.provide.length, 0)
    assert.equal(verdict(bob.context.anchors.addProvide([given])), 'UCAN_REVOKED')
  })

  test('the revocation copies issuer, subject, nonce, capabilities and expiry, and nothing else', async () => {
    const [alice, bob] = [party('alice'), identity('bob')]
    const given = delegation(alice, bob.did, {
      topics: ['/t'],
      depth: 2n,
      audience: bob.did,
      chain: delegation(bob, alice.did, { topics: ['/t'], audience: bob.did })
    })
    const made = await alice.context.revoke(given)
    assert.ok(made.ok)
    const { signature: _, ...fields } = made.value
    assert.deepEqual(fields, {
      action: 'revoke',
      issuer: alice.did,
      subject: bob.did,
      audience: undefined,
      topics: [],
      capabilities: ['/public'],
      nonce: given.nonce,
      expiresAtNs: given.expiresAtNs,
      depth: 0n,
      chain: undefined
    })
  })

  test('only the issuer can revoke', async () => {
    const [alice, bob, carol] = [party('alice'), party('bob'), identity('carol')]
    const given = delegation(alice, carol.did)
    assert.equal(verdict(await bob.context.revoke(given)), 'UCAN_NOT_ISSUER')
    const forged = token(bob, { ...given, issuer: alice.did, action: 'revoke', signature: undefined })
    assert.equal(verdict(alice.context.anchors.addRevoke([forged])), 'UCAN_SIGNATURE')
    const own = token(bob, { subject: carol.did, action: 'revoke', nonce: given.nonce })
    assert.equal(verdict(alice.context.anchors.addRevoke([own])), 'ok') // bob revokes only what bob issued
    assert.equal(verdict(alice.context.anchors.addRequire([given])), 'ok')
    assert.equal(verdict(alice.context.anchors.addRevoke([given])), 'UCAN_NOT_REVOCATION')
  })

  test('a revocation, or a token without nonce, cannot be revoked', async () => {
    const alice = party('alice')
    for (const change of [{ action: 'revoke' }, { nonce: null }]) {
      assert.equal(
        verdict(await alice.context.revoke(delegation(alice, alice.did, change))),
        'UCAN_NOT_REVOCABLE'
      )
    }
  })
})

describe('a restricted network of three organisations', () => {
  test('delegation, attenuation and time limits work end to end', async () => {
    const [org, node, user, guest] = [party('org'), party('node'), party('user'), party('guest')]
    node.context.anchors.addRequire([
      delegation(node, org.did, { capabilities: ['/dms/deployment'], topics: ['/nunet'] })
    ])
    const toUser = await org.context.grant({
      action: 'delegate',
      subject: user.did,
      topics: ['/nunet'],
      capabilities: ['/dms/deployment'],
      expiresAtNs: NOW_NS + HOUR_NS,
      depth: 0n
    })
    user.context.anchors.addProvide([toUser])
    assert.equal(await call(user, node, '/dms/deployment/request'), 'ok')
    const toGuest = await user.context.delegate({
      action: 'delegate',
      subject: guest.did,
      topics: [],
      capabilities: ['/dms/deployment/request'],
      expiresAtNs: EXP,
      depth: 1n,
      selfSign: 'no'
    })
    assert.ok(toGuest.ok)
    guest.context.anchors.addProvide(toGuest.value)
    assert.equal(await call(guest, node, '/dms/deployment/request'), 'ok')
    assert.equal(await call(guest, node, '/dms/deployment/other'), 'UCAN_NOT_AUTHORIZED')
    assert.equal(await call(guest, node, '/dms/deployment/request', EXP + 1n), 'UCAN_NOT_AUTHORIZED')
    const revocation = await user.context.revoke(toGuest.value[0] ?? toUser)
    assert.ok(revocation.ok)
    node.context.anchors.addRevoke([revocation.value])
    assert.equal(await call(guest, node, '/dms/deployment/request'), 'UCAN_NOT_AUTHORIZED')
    assert.equal(await call(user, node, '/dms/deployment/request'), 'ok')
  })
})
