/** What a registry takes in, in which order it writes, and what becomes of it when a part fails. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Database, openDatabase } from '../../../../src/db/index.ts'
import { RevocationRegistry } from '../../../../src/dms/revocation/registry.ts'
import type { AnchorKeeper, NewAnchors } from '../../../../src/dms/revocation/types.ts'
import type { PublicKey } from '../../../../src/lib/crypto/index.ts'
import { keySigner, parseDid, publicKeyOfDid } from '../../../../src/lib/did/index.ts'
import {
  type Anchors,
  createCapabilityContext,
  formatToken,
  type KeyLookup,
  revocationKey,
  type Token
} from '../../../../src/lib/ucan/index.ts'
import type { Did, Result } from '../../../../src/types/index.ts'
import { Emitter, ok, SeededRandom, VirtualClock } from '../../../../src/utils/index.ts'
import { MemoryLog } from '../../../utils/index.ts'
import { HOUR_NS, identity, NOW_NS, party, token } from '../../lib/parties.ts'

const organisation = party('organisation')
const someone = identity('someone').did

/** A keeper over anchors in memory; `before` runs in the place of writing the file. */
class MemoryKeeper implements AnchorKeeper {
  readonly changed: Emitter<void> = new Emitter()
  before: () => Promise<Result<void>> | Result<void> = () => ok(undefined)
  readonly #anchors: Anchors

  constructor(anchors: Anchors) {
    this.#anchors = anchors
  }

  async add({ revoke = [] }: NewAnchors): Promise<Result<void>> {
    const written = await this.before()
    return written.ok ? this.#anchors.addRevoke(revoke) : written
  }

  onChange(listener: () => void): () => void {
    return this.changed.on(listener)
  }
}

function setUp(database?: Database, lookup: KeyLookup = {}) {
  const [clock, log] = [new VirtualClock(), new MemoryLog()]
  const self = identity('node')
  const random = new SeededRandom('node nonces')
  const signer = keySigner(self.key)
  const { context } = createCapabilityContext({ clock, random, owner: self.did, signer, ...lookup })
  const node = { ...self, context }
  const passing: Token[] = []
  const accepts = token(node, { subject: organisation.did, expiresAtNs: NOW_NS + 100n * HOUR_NS })
  assert.ok(node.context.anchors.addRequire([accepts]).ok)
  const db = database ?? openDatabase({ clock, log }, { path: ':memory:' })
  const keeper = new MemoryKeeper(node.context.anchors)
  const registry = new RevocationRegistry({
    context: node.context,
    passing: () => passing,
    keeper,
    records: db.revocations,
    clock,
    log
  })
  return { registry, keeper, db, node, clock, log, passing }
}

let nonce = 0

async function revocation(fields: Partial<Token> = {}): Promise<Token> {
  const given = token(organisation, { subject: someone, nonce: Uint8Array.of(nonce++), ...fields })
  const made = await organisation.context.revoke(given)
  assert.ok(made.ok)
  return made.value
}

describe('a registry', () => {
  it('writes to the database before the file, and to both before it counts', async () => {
    const { registry, keeper, db, node } = setUp()
    await registry.start()
    const steps: unknown[] = []
    registry.onAdded(keys => steps.push(['told', keys.length]))
    keeper.before = () => {
      steps.push(['file', db.revocations.list().length, node.context.anchors.revoke.length])
      return ok(undefined)
    }
    const taken = await registry.offer([{ revocation: await revocation() }], 'peer')
    assert.deepEqual(taken, { added: 1, known: 0, refused: [] })
    assert.deepEqual(steps, [
      ['file', 1, 0],
      ['told', 1]
    ])
  })

  it('takes the same once, also when it comes many times at once and in one message', async () => {
    const { registry, db } = setUp()
    const same = await revocation()
    const reports = await Promise.all(
      Array.from({ length: 20 }, () => registry.offer([{ revocation: same }, { revocation: same }], 'peer'))
    )
    assert.equal(
      reports.reduce((sum, { added }) => sum + added, 0),
      1
    )
    assert.equal(db.revocations.list().length, 1)
  })

  it('takes one that holds longer in the place of one that ends earlier, and not the other way round', async () => {
    const { registry, node } = setUp()
    const target = token(organisation, { subject: someone, nonce: Uint8Array.of(77, 77) })
    const [short, long] = await Promise.all(
      [NOW_NS + 1000n, NOW_NS + HOUR_NS].map(async expiresAtNs => {
        const made = await organisation.context.revoke({ ...target, expiresAtNs })
        assert.ok(made.ok)
        return made.value
      })
    )
    assert.ok(short && long)
    for (const each of [short, long, short]) await registry.offer([{ revocation: each }], 'peer')
    assert.deepEqual(node.context.anchors.revoke.map(formatToken), [formatToken(long)])
    assert.equal(registry.ledger.get(revocationKey(long))?.expiresAtNs, long.expiresAtNs)
  })

  it('turns offers away when too many wait, and takes them when they come again', async () => {
    const { registry, keeper } = setUp()
    const gate = Promise.withResolvers<Result<void>>()
    keeper.before = () => gate.promise
    const offers = await Promise.all(Array.from({ length: 70 }, () => revocation()))
    const taking = offers.map(each => registry.offer([{ revocation: each }], 'peer'))
    gate.resolve(ok(undefined))
    const reports = await Promise.all(taking)
    const busy = reports.filter(({ refused }) => refused[0]?.code === 'REVOCATION_BUSY').length
    assert.equal(busy, 6)
    keeper.before = () => ok(undefined)
    for (const each of offers) await registry.offer([{ revocation: each }], 'peer')
    assert.equal(registry.ledger.size, 70)
  })

  it('keeps a revocation in force that the file could not take, and forgets one that is refused there', async () => {
    const { registry, keeper, node, db } = setUp()
    keeper.before = () => {
      throw new Error('disk full')
    }
    assert.equal((await registry.offer([{ revocation: await revocation() }], 'peer')).added, 1)
    assert.equal(node.context.anchors.revoke.length, 1)
    keeper.before = () => ({ ok: false, error: { code: 'UCAN_TOO_MANY_ANCHORS', message: 'full' } })
    const report = await registry.offer([{ revocation: await revocation() }], 'peer')
    assert.deepEqual([report.added, report.refused.map(({ code }) => code)], [0, ['UCAN_TOO_MANY_ANCHORS']])
    assert.deepEqual([registry.ledger.size, db.revocations.list().length], [1, 1])
  })

  it('takes nothing when the database cannot write, and can later', async () => {
    const { registry, db, node } = setUp()
    const offered = await revocation()
    const save = db.revocations.save
    db.revocations.save = () => {
      throw new Error('disk full')
    }
    await assert.rejects(registry.offer([{ revocation: offered }], 'peer'), /disk full/)
    assert.equal(node.context.anchors.revoke.length, 0)
    db.revocations.save = save
    assert.equal((await registry.offer([{ revocation: offered }], 'peer')).added, 1)
  })

  it('finds what was put into the file by hand, and hands it on', async () => {
    const { registry, keeper, node, db } = setUp()
    await registry.start()
    const byHand = await revocation()
    assert.ok(node.context.anchors.addRevoke([byHand]).ok)
    const told: string[] = []
    registry.onAdded(keys => told.push(...keys))
    keeper.changed.emit()
    keeper.changed.emit()
    assert.deepEqual(told, [revocationKey(byHand)])
    assert.deepEqual(
      db.revocations.list().map(({ learntFrom }) => learntFrom),
      ['file']
    )
    assert.equal(registry.list(10)[0]?.learntFrom, 'file')
    registry.stop()
    assert.equal(keeper.changed.listenerCount, 0)
  })

  it('starts again with what it stored, and without what is over or cannot be read', async () => {
    const { registry, db } = setUp()
    const lasting = await revocation()
    const short = await revocation({ expiresAtNs: NOW_NS + 1n })
    await registry.offer([{ revocation: lasting }, { revocation: short }], 'peer')
    db.revocations.save([{ key: 'broken', revocation: '{}', learntFrom: 'x', learntAtMs: 0 }])
    const again = setUp(db)
    await again.clock.advance(1000)
    await again.registry.start()
    assert.deepEqual(again.node.context.anchors.revoke.map(formatToken), [formatToken(lasting)])
    assert.deepEqual(
      db.revocations.list().map(({ key }) => key),
      [revocationKey(lasting)]
    )
  })

  it('forgets what has expired', async () => {
    const { registry, db, clock } = setUp()
    await registry.offer([{ revocation: await revocation({ expiresAtNs: NOW_NS + 1n }) }], 'peer')
    registry.collectGarbage()
    assert.equal(registry.ledger.size, 1)
    await clock.advance(1)
    registry.collectGarbage()
    assert.deepEqual([registry.ledger.size, db.revocations.list()], [0, []])
  })

  it('keeps of one organisation a bounded number, and of the owner each', async () => {
    const { registry, node, log } = setUp()
    const crowd = await Promise.all(Array.from({ length: 5001 }, (_, index) => numbered(index)))
    for (let from = 0; from < crowd.length; from += 1000)
      await registry.offer(crowd.slice(from, from + 1000), 'organisation')
    assert.deepEqual([registry.ledger.size, registry.turnedAway], [5000, 1])
    assert.ok(log.entries.some(({ level }) => level === 'error'))
    const forged = { revocation: { ...(await revocation()), signature: new Uint8Array(64) } }
    const refused = await registry.offer([forged], 'liar')
    assert.equal(refused.refused[0]?.code, 'REVOCATION_NO_ROOM')
    assert.equal(registry.turnedAway, 1, 'a forged one is no loss')
    // One that holds longer takes the place of another, but not more room than that had.
    const later = { nonce: Uint8Array.of(1, 0, 0), expiresAtNs: NOW_NS + 2n * HOUR_NS }
    const longer = await revocation({ ...later, capabilities: [`/${'a'.repeat(1000)}`] })
    const [reason] = (await registry.offer([{ revocation: longer }], 'organisation')).refused
    assert.equal(reason?.code, 'REVOCATION_NO_ROOM')
    assert.equal((await registry.offer([{ revocation: await revocation(later) }], 'organisation')).added, 1)
    const own = await node.context.revoke(token(node, { subject: someone }))
    assert.ok(own.ok)
    assert.equal((await registry.offer([{ revocation: own.value }], 'peer')).added, 1)
    node.context.anchors.addRoot(organisation.did)
    assert.equal((await registry.offer(crowd.slice(5000), 'organisation')).added, 1)
  })

  it('keeps of the longest ones fewer, so that the capability file can be read again', async () => {
    const { registry } = setUp()
    const capabilities = Array.from('abcd', name => `/${name.repeat(880)}`)
    const offers = Array.from({ length: 2800 }, (_, index) => {
      const fields = { capabilities, nonce: Uint8Array.of(2, index >> 8, index & 0xff) }
      return { revocation: token(organisation, { subject: someone, action: 'revoke', ...fields }) }
    })
    await registry.offer(offers, 'organisation')
    const { ledger } = registry
    assert.ok(ledger.length <= 10 * 2 ** 20 && ledger.length > 10 * 2 ** 20 - 4096, `${ledger.length}`)
    assert.equal(registry.turnedAway, 2800 - ledger.size)
  })

  it('keeps of the longest ones of members half as many', async () => {
    const { registry } = setUp()
    const capabilities = Array.from('abcd', name => `/${name.repeat(880)}`)
    const members = Array.from({ length: 4 }, (_, index) => identity(`member ${index}`))
    const offers = members.flatMap(member => {
      const chain = token(organisation, { subject: member.did, capabilities })
      return Array.from({ length: 350 }, (_, index) => {
        const fields = { subject: someone, capabilities, nonce: Uint8Array.of(index >> 8, index & 0xff) }
        return {
          revocation: token(member, { ...fields, action: 'revoke' }),
          proof: token(member, { ...fields, chain })
        }
      })
    })
    await registry.offer(offers, 'members')
    const { ledger } = registry
    assert.ok(ledger.length <= 5 * 2 ** 20 && ledger.length > 5 * 2 ** 20 - 4096, `${ledger.length}`)
    assert.equal((await registry.offer([{ revocation: await revocation() }], 'organisation')).added, 1)
  })

  async function numbered(index: number): Promise<{ revocation: Token }> {
    return { revocation: await revocation({ nonce: Uint8Array.of(1, index >> 8, index & 0xff) }) }
  }

  it('warns when a power of the node itself is taken back', async () => {
    const { registry, node, log } = setUp()
    const power = token(organisation, { subject: node.did })
    assert.ok(node.context.anchors.addProvide([power]).ok)
    const made = await organisation.context.revoke(power)
    assert.ok(made.ok)
    await registry.offer([{ revocation: made.value }], 'peer')
    assert.deepEqual(node.context.anchors.provide, [])
    assert.ok(
      log.entries.some(({ level, fields }) => level === 'warn' && fields['issuer'] === organisation.did)
    )
  })
})

describe('an orchestrator with a deployment here', () => {
  it('has no more room for its revocations than any member: it must prove each', async () => {
    const { registry, node, passing } = setUp()
    const [orchestrator, stranger] = [party('orchestrator'), identity('stranger')]
    const grant = token(node, { subject: orchestrator.did, depth: 1n })
    assert.ok(node.context.anchors.addRequire([grant]).ok)
    const given = token(orchestrator, { subject: stranger.did })
    const made = await orchestrator.context.revoke(given)
    assert.ok(made.ok)
    passing.push(grant)
    const { added, refused } = await registry.offer([{ revocation: made.value }], 'peer')
    assert.deepEqual([added, refused[0]?.code], [0, 'REVOCATION_UNRELATED'])
    const member = token(organisation, { subject: orchestrator.did })
    const proof = token(orchestrator, { subject: stranger.did, nonce: given.nonce, chain: member })
    assert.equal((await registry.offer([{ revocation: made.value, proof }], 'peer')).added, 1)
    assert.equal(registry.ledger.proven, 1)
  })
})

describe('a revocation by a DID whose key must be looked up', () => {
  const [prism, other] = [parseDid('did:prism:aa'), parseDid('did:prism:bb')]
  const [issuer, member, stranger] = [identity('prism'), identity('prism member'), identity('stranger')]

  /** A registry that finds the keys of two DIDs once they were looked up; `asked` says which were. */
  function withResolver(resolve: (did: Did) => Promise<PublicKey | undefined>) {
    const known = new Map<Did, PublicKey>()
    const asked: Did[] = []
    const keyOf = (did: Did): PublicKey => {
      if (did.startsWith('did:key:')) return publicKeyOfDid(did)
      return known.get(did) ?? assert.fail(`${did} is not known`)
    }
    const resolveKey = async (did: Did): Promise<void> => {
      asked.push(did)
      const key = await resolve(did)
      if (key !== undefined) known.set(did, key)
    }
    return { ...setUp(undefined, { keyOf, resolveKey }), asked }
  }

  const published = async (did: Did): Promise<PublicKey | undefined> =>
    did === prism ? issuer.key.publicKey : member.key.publicKey
  const as = (did: Did, { key }: typeof issuer) => ({ key, did })
  const revocationBy = (by: typeof issuer, fields: Partial<Token> = {}): Token =>
    token(by, { subject: someone, action: 'revoke', nonce: Uint8Array.of(9), ...fields })

  it('counts at once when the anchors name it, though nobody showed a token of it lately', async () => {
    const { registry, node, asked } = withResolver(published)
    node.context.anchors.addRoot(prism)
    const revoked = revocationBy(as(prism, issuer))
    assert.equal((await registry.offer([{ revocation: revoked }], 'peer')).added, 1)
    assert.deepEqual([asked, node.context.anchors.revoke], [[prism], [revoked]])
  })

  it('counts when its proof leads to somebody the anchors name', async () => {
    const { registry, asked } = withResolver(published)
    const given = token(organisation, { subject: other })
    const by = as(other, member)
    const proof = token(by, { subject: someone, nonce: Uint8Array.of(9), chain: given })
    assert.equal((await registry.offer([{ revocation: revocationBy(by), proof }], 'peer')).added, 1)
    assert.deepEqual(asked, [other])
  })

  it('makes nobody call out for strangers, nor for a chain that nobody verifies', async () => {
    const { registry, node, asked } = withResolver(published)
    node.context.anchors.addRoot(stranger.did)
    const forged = token(as(prism, issuer), { subject: someone, signature: new Uint8Array(64) })
    const proof = token(as(other, member), { subject: someone, nonce: Uint8Array.of(9), chain: forged })
    const offers = [
      { revocation: revocationBy(as(other, member)) },
      { revocation: revocationBy(as(prism, issuer)), proof },
      { revocation: revocationBy(stranger, { chain: forged }) }
    ]
    for (const offer of offers) assert.equal((await registry.offer([offer], 'peer')).added, 0)
    assert.deepEqual(asked, [])
  })

  it('looks up few proofs of one message', async () => {
    const { registry, asked } = withResolver(async () => undefined)
    const offers = Array.from({ length: 12 }, (_, index) => {
      const by = as(parseDid(`did:prism:${index}`), member)
      const chain = token(organisation, { subject: by.did })
      return {
        revocation: revocationBy(by),
        proof: token(by, { subject: someone, nonce: Uint8Array.of(9), chain })
      }
    })
    const { added } = await registry.offer(offers, 'peer')
    assert.deepEqual([added, asked.length], [0, 8])
  })

  it('is refused for now when the key is not to be had in time', async () => {
    const { registry, node, clock } = withResolver(() => new Promise(() => undefined))
    node.context.anchors.addRoot(prism)
    const report = registry.offer([{ revocation: revocationBy(as(prism, issuer)) }], 'peer')
    await clock.advance(10_001)
    assert.equal((await report).refused[0]?.code, 'UCAN_ISSUER_KEY')
  })
})
