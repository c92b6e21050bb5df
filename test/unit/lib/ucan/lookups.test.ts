/** Which keys are looked up for a message, and for whom nobody calls out (identity-and-actors §2.7, §7.3). */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateKey, type PrivateKey, type PublicKey } from '../../../../src/lib/crypto/index.ts'
import { didOf, keySigner, parseDid, publicKeyOfDid, type Signer } from '../../../../src/lib/did/index.ts'
import {
  type CapabilityContext,
  createCapabilityContext,
  formatTokenList,
  lookUpIssuers,
  parseTokenList,
  signingBytes,
  type Token,
  withOwnKey
} from '../../../../src/lib/ucan/index.ts'
import type { Did } from '../../../../src/types/index.ts'
import { SeededRandom, utf8ToBytes, VirtualClock } from '../../../../src/utils/index.ts'

const random = new SeededRandom(5)
const clock = new VirtualClock()
const HOUR = clock.nowNs() + 3_600_000_000_000n

/** A world of PRISM DIDs whose keys a resolver knows, and a context that starts without any of them. */
class World {
  readonly published = new Map<Did, PublicKey>()
  readonly known = new Map<Did, PublicKey>()
  readonly asked: Did[] = []
  readonly key = generateKey(random)
  readonly context = this.open(keySigner(this.key), true)

  open(signer: Signer, canResolve = false): CapabilityContext {
    const keyOf = (did: Did): PublicKey => {
      if (did.startsWith('did:key:')) return publicKeyOfDid(did)
      return (canResolve ? this.known : this.published).get(did) ?? assert.fail('not known')
    }
    const resolveKey = async (did: Did): Promise<void> => {
      this.asked.push(did)
      const key = this.published.get(did)
      if (key === undefined) throw new Error('not published')
      this.known.set(did, key)
    }
    const lookup = { keyOf, ...(canResolve ? { resolveKey } : {}) }
    return createCapabilityContext({ clock, random, owner: signer.did, signer, ...lookup }).context
  }

  /** Somebody with a PRISM DID; published unless said otherwise. */
  prism(number: number, { isPublished = true } = {}): Party {
    const did = parseDid(`did:prism:${number.toString(16).padStart(64, '0')}`)
    const key = generateKey(random)
    if (isPublished) this.published.set(did, key.publicKey)
    return new Party(this, did, key)
  }

  plain(): Party {
    const key = generateKey(random)
    return new Party(this, didOf(key.publicKey), key)
  }

  /** What a message of `from` would carry, and the looking up it causes. */
  async receive(tokens: readonly Token[]): Promise<readonly Did[]> {
    this.asked.length = 0
    await this.context.lookupsFor(utf8ToBytes(formatTokenList(tokens)))?.()
    return [...this.asked]
  }
}

class Party {
  readonly did: Did
  readonly context: CapabilityContext
  readonly #key: PrivateKey

  constructor(world: World, did: Did, key: PrivateKey) {
    this.did = did
    this.#key = key
    this.context = world.open({ did, sign: data => key.sign(data) })
  }

  sign(unsigned: Omit<Token, 'signature'>): Uint8Array {
    return this.#key.sign(signingBytes(unsigned))
  }

  async grant(subject: Did): Promise<Token> {
    return await this.context.grant({
      action: 'delegate',
      subject,
      topics: [],
      capabilities: ['/public'],
      expiresAtNs: HOUR,
      depth: 0n
    })
  }

  /** An invocation chained on what was given to this party. */
  async invoke(audience: Did, given?: Token): Promise<readonly Token[]> {
    if (given !== undefined) {
      const anchored = this.context.anchors.addProvide([given])
      assert.ok(anchored.ok)
    }
    const blob = await this.context.provideInvocation({
      target: audience,
      subject: this.did,
      audience,
      expiresAtNs: HOUR,
      invoke: ['/public/hello'],
      delegate: []
    })
    const parsed = parseTokenList(new TextDecoder().decode(blob))
    return parsed.ok ? parsed.value : assert.fail()
  }
}

describe('look-ups for the tokens of a message', () => {
  it('are none when every issuer is a did:key', async () => {
    const world = new World()
    const friend = world.plain()
    world.context.anchors.addRoot(friend.did)
    assert.deepEqual(await world.receive(await friend.invoke(world.context.owner)), [])
  })

  it('are made for a root anchor, once', async () => {
    const world = new World()
    const friend = world.prism(1)
    world.context.anchors.addRoot(friend.did)
    const tokens = await friend.invoke(world.context.owner)
    assert.deepEqual(await world.receive(tokens), [friend.did])
    assert.deepEqual(await world.receive(tokens), [])
    const consumed = world.context.consume(friend.did, utf8ToBytes(formatTokenList(tokens)))
    assert.ok(consumed.ok)
    const question = { origin: friend.did, subject: friend.did, audience: world.context.owner }
    const verdict = world.context.authorizeInvocation(
      { ...question, capabilities: ['/public/hello'] },
      consumed.value
    )
    assert.ok(verdict.ok)
  })

  it('are made for the subject of a require anchor, then for whom it has given powers', async () => {
    const world = new World()
    const organisation = world.prism(1)
    const member = world.prism(2)
    const owner = new Party(world, world.context.owner, world.key)
    assert.ok(world.context.anchors.addRequire([await owner.grant(organisation.did)]).ok)
    const tokens = await member.invoke(world.context.owner, await organisation.grant(member.did))
    assert.deepEqual(await world.receive(tokens), [organisation.did, member.did])
  })

  it('are made for a member that a trusted did:key named', async () => {
    const world = new World()
    const organisation = world.plain()
    const member = world.prism(1)
    world.context.anchors.addRoot(organisation.did)
    const tokens = await member.invoke(world.context.owner, await organisation.grant(member.did))
    assert.deepEqual(await world.receive(tokens), [member.did])
  })

  it('are not made for a stranger', async () => {
    const world = new World()
    const tokens = await world.prism(1).invoke(world.context.owner)
    assert.deepEqual(await world.receive(tokens), [])
  })

  it('are not made for a chain that only pretends to come from somebody trusted', async () => {
    const world = new World()
    const [organisation, stranger, member] = [world.plain(), world.plain(), world.prism(1)]
    world.context.anchors.addRoot(organisation.did)
    const forged = { ...(await stranger.grant(member.did)), issuer: organisation.did }
    const unknown: Party = world.prism(9)
    const [own] = await unknown.invoke(world.context.owner)
    const leaf: Token = { ...(own ?? assert.fail()), issuer: member.did, chain: forged }
    assert.deepEqual(await world.receive([leaf]), [])
  })

  it("stop at a trusted issuer that does not resolve: the rest of the chain is anybody's word", async () => {
    const world = new World()
    const organisation = world.prism(1, { isPublished: false })
    const member = world.prism(2)
    world.context.anchors.addRoot(organisation.did)
    const [own] = await member.invoke(world.context.owner)
    const stranger = world.plain()
    const chain: Token = { ...(await stranger.grant(member.did)), issuer: organisation.did }
    assert.deepEqual(await world.receive([{ ...(own ?? assert.fail()), chain }]), [organisation.did])
  })

  it('stop at a trusted issuer whose signature is forged', async () => {
    const world = new World()
    const [organisation, member] = [world.prism(1), world.prism(2)]
    world.context.anchors.addRoot(organisation.did)
    const [own] = await member.invoke(world.context.owner)
    const chain: Token = { ...(await world.plain().grant(member.did)), issuer: organisation.did }
    assert.deepEqual(await world.receive([{ ...(own ?? assert.fail()), chain }]), [organisation.did])
  })

  it('are not made for what a member whose signature is forged seems to have named', async () => {
    const world = new World()
    const [organisation, member] = [world.plain(), world.prism(1)]
    world.context.anchors.addRoot(organisation.did)
    const given = await organisation.grant(member.did) // everybody sees it in the member's broadcasts
    let chain: Token = given
    for (let number = 2; number < 9; number++) {
      const next = await world.plain().grant(world.prism(number).did)
      chain = { ...next, issuer: chain.subject, chain }
    }
    const [own] = await world.prism(9).invoke(world.context.owner)
    const leaf: Token = { ...(own ?? assert.fail()), issuer: chain.subject, chain }
    assert.deepEqual(await world.receive([leaf]), [member.did])
    // Neither when the member stands again where the leaf is.
    const again = { ...(await world.plain().grant(member.did)), issuer: chain.subject, chain }
    const other: Token = { ...(own ?? assert.fail()), issuer: member.did, chain: again }
    world.known.clear()
    assert.deepEqual(await world.receive([other]), [member.did])
  })

  it('are not made for the chain below a revocation, which nobody verifies', async () => {
    const world = new World()
    const [organisation, stranger, friend] = [world.plain(), world.plain(), world.prism(1)]
    world.context.anchors.addRoot(organisation.did)
    const [forged, issued] = [await stranger.grant(friend.did), await stranger.grant(stranger.did)]
    const between = { ...forged, issuer: friend.did, chain: { ...forged, issuer: organisation.did } }
    const { signature: _, ...unsigned } = { ...issued, action: 'revoke', chain: between }
    const leaf = { ...unsigned, signature: stranger.sign(unsigned) }
    assert.deepEqual(await world.receive([leaf]), [])
  })

  it('are not made for an expired or revoked chain', async () => {
    const world = new World()
    const organisation = world.plain()
    const member = world.prism(1)
    world.context.anchors.addRoot(organisation.did)
    const given = await organisation.grant(member.did)
    const tokens = await member.invoke(world.context.owner, given)
    const revocation = await organisation.context.revoke(given)
    assert.ok(revocation.ok && world.context.anchors.addRevoke([revocation.value]).ok)
    assert.deepEqual(await world.receive(tokens), [])
  })

  it('are a few at most for one message', async () => {
    const world = new World()
    const tokens: Token[] = []
    for (let number = 0; number < 20; number++) {
      const friend = world.prism(number + 1)
      world.context.anchors.addRoot(friend.did)
      tokens.push(...(await friend.invoke(world.context.owner)))
    }
    assert.equal((await world.receive(tokens)).length, 8)
  })

  it('end with the signal of whoever waits', async () => {
    const world = new World()
    const friend = world.prism(1)
    world.context.anchors.addRoot(friend.did)
    const blob = utf8ToBytes(formatTokenList(await friend.invoke(world.context.owner)))
    const lookUp = world.context.lookupsFor(blob) ?? assert.fail()
    await assert.rejects(lookUp({ signal: AbortSignal.abort(new Error('enough')) }), /enough/)
  })

  for (const [what, blob] of [
    ['too long', utf8ToBytes(`{"tok":[]}${' did:prism:'.repeat(2000)}`)],
    ['no text', Uint8Array.from([...utf8ToBytes('did:prism:'), 0xff])],
    ['no token list', utf8ToBytes('did:prism:')],
    ['about a DID elsewhere', utf8ToBytes('{"x":"did:prism:1"}')],
    ['of too many tokens', utf8ToBytes(`{"x":"did:prism:","tok":[${'{"dms":{}},'.repeat(70)}{"dms":{}}]}`)]
  ] as const) {
    it(`are none for a blob that is ${what}`, () => {
      assert.equal(new World().context.lookupsFor(blob), undefined)
    })
  }

  it('are none where nothing can be looked up', async () => {
    const world = new World()
    const friend = world.prism(1)
    const blob = utf8ToBytes(formatTokenList(await friend.invoke(world.context.owner)))
    assert.equal(world.open(keySigner(world.key)).lookupsFor(blob), undefined)
  })
})

describe('a chain of an issuer whose key was looked up', () => {
  it('is checked with the key of the moment, however often it was good before', async () => {
    const world = new World()
    const [organisation, member] = [world.prism(1), world.plain()]
    world.context.anchors.addRoot(organisation.did)
    const given = await organisation.grant(member.did)
    const tokens = await member.invoke(world.context.owner, given)
    await world.receive(tokens)
    const blob = utf8ToBytes(formatTokenList(tokens))
    const question = { origin: member.did, subject: member.did, audience: world.context.owner }
    const isLetIn = (): boolean => {
      const consumed = world.context.consume(member.did, blob)
      assert.ok(consumed.ok)
      const capabilities = ['/public/hello']
      return world.context.authorizeInvocation({ ...question, capabilities }, consumed.value).ok
    }
    assert.deepEqual([isLetIn(), isLetIn()], [true, true])
    world.known.set(organisation.did, generateKey(random).publicKey)
    assert.equal(isLetIn(), false)
  })
})

describe('look-ups for tokens the owner gave', () => {
  it('are made for every issuer of their chains; what fails shows when they are verified', async () => {
    const world = new World()
    const organisation = world.prism(1)
    const member = world.prism(2)
    const given = await organisation.grant(member.did)
    assert.equal(world.context.anchors.addRequire([given]).ok, false)
    await world.context.lookUp([given])
    assert.ok(world.context.anchors.addRequire([given]).ok)
    assert.deepEqual(world.asked, [organisation.did])
    world.published.clear()
    world.known.clear()
    await world.context.lookUp([given])
    const verdict = world.context.anchors.addRequire([given])
    assert.equal(!verdict.ok && verdict.error.code, 'UCAN_ISSUER_KEY')
  })

  it('are many, a few at a time', async () => {
    const asked: Did[] = []
    const world = new World()
    const tokens: Token[] = []
    for (let number = 0; number < 40; number++)
      tokens.push(await world.prism(number).grant(world.context.owner))
    await lookUpIssuers(tokens, {
      resolveKey: async did => {
        asked.push(did)
      }
    })
    assert.equal(asked.length, 40)
    await lookUpIssuers(tokens, {})
  })
})

describe('the own key of a signer', () => {
  it('is known although its DID does not hold it, and only for that DID', () => {
    const key = generateKey(random)
    const other = didOf(generateKey(random).publicKey)
    const did = parseDid(`did:prism:${'0'.repeat(64)}`)
    const signer = { did, publicKey: key.publicKey, sign: (data: Uint8Array) => key.sign(data) }
    const { keyOf } = withOwnKey({}, signer)
    assert.equal(keyOf?.(did), key.publicKey)
    assert.deepEqual(keyOf?.(other).raw, publicKeyOfDid(other).raw)
    const plain = {}
    assert.equal(withOwnKey(plain, keySigner(key)), plain)
  })
})
