/** Anchors whose issuers must be looked up: at the start, when the file changes, and when the resolver comes back. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CapabilityAnchors } from '../../../src/daemon/capability-anchors.ts'
import { generateKey, type PublicKey } from '../../../src/lib/crypto/index.ts'
import { didOf, parseDid, publicKeyOfDid } from '../../../src/lib/did/index.ts'
import {
  createCapabilityContext,
  createCapabilityStore,
  emptyCapabilityFile,
  type KeyLookup,
  type Token
} from '../../../src/lib/ucan/index.ts'
import type { AbortOptions, Did } from '../../../src/types/index.ts'
import { MemoryFiles, raceSignal, SeededRandom, VirtualClock } from '../../../src/utils/index.ts'
import { MemoryLog } from '../../utils/index.ts'

const PRISM = parseDid(`did:prism:${'1'.repeat(64)}`)

class Resolver {
  readonly known = new Map<Did, PublicKey>()
  readonly published = new Map<Did, PublicKey>()
  isSilent = false

  readonly lookup: KeyLookup = {
    keyOf: did => this.known.get(did) ?? publicKeyOfDid(did),
    resolveKey: async (did, { signal }: AbortOptions) => {
      if (this.isSilent) await raceSignal(new Promise(() => undefined), signal)
      const key = this.published.get(did)
      if (key === undefined) throw new Error('not published')
      this.known.set(did, key)
    }
  }
}

async function setUp() {
  const [clock, random, log] = [new VirtualClock(), new SeededRandom('prism'), new MemoryLog()]
  const [key, organisation] = [generateKey(random), generateKey(random)]
  const resolver = new Resolver()
  resolver.published.set(PRISM, organisation.publicKey)
  const store = createCapabilityStore({ files: new MemoryFiles(), clock, random }, { directory: '/cap' })
  const deps = { store, clock, random, log, lookup: resolver.lookup }
  const signer = { did: PRISM, sign: (data: Uint8Array) => organisation.sign(data) }
  const issuer = createCapabilityContext({
    clock,
    random,
    owner: PRISM,
    signer,
    keyOf: () => organisation.publicKey
  })
  const token = await issuer.context.grant({
    action: 'delegate',
    subject: didOf(key.publicKey),
    topics: [],
    capabilities: ['/public'],
    expiresAtNs: clock.nowNs() + 86_400_000_000_000n,
    depth: 0n
  })
  const write = (provide: readonly Token[]): Promise<void> =>
    store.save('dms', { ...emptyCapabilityFile(didOf(key.publicKey)), provide })
  return { deps, store, key, clock, log, resolver, token, write }
}

describe('anchors of an issuer with a PRISM DID', () => {
  it('count from the start when the resolver answers', async () => {
    const { deps, key, token, write } = await setUp()
    await write([token])
    const { context } = await CapabilityAnchors.open(deps, 'dms', key)
    assert.equal(context.anchors.provide.length, 1)
  })

  it('count when the file gets them while the node runs', async () => {
    const { deps, key, token, write } = await setUp()
    const anchors = await CapabilityAnchors.open(deps, 'dms', key)
    await write([token])
    await anchors.reload()
    assert.equal(anchors.context.anchors.provide.length, 1)
  })

  it('count when a message brings them, and are in the file then', async () => {
    const { deps, store, key, token } = await setUp()
    const anchors = await CapabilityAnchors.open(deps, 'dms', key)
    assert.deepEqual(await anchors.add({ provide: [token] }), { ok: true, value: undefined })
    assert.equal((await store.load('dms'))?.provide.length, 1)
  })

  it('count once the resolver is back, without being written anew', async () => {
    const { deps, key, resolver, token, write } = await setUp()
    await write([token])
    const published = resolver.published.get(PRISM) ?? assert.fail()
    resolver.published.clear()
    const anchors = await CapabilityAnchors.open(deps, 'dms', key)
    let changes = 0
    anchors.onChange(() => changes++)
    assert.equal(anchors.context.anchors.provide.length, 0)
    await anchors.retryLookups()
    assert.deepEqual([anchors.context.anchors.provide.length, changes], [0, 0])
    resolver.published.set(PRISM, published)
    await anchors.retryLookups()
    assert.deepEqual([anchors.context.anchors.provide.length, changes], [1, 1])
    await anchors.retryLookups()
    assert.equal(changes, 1)
  })

  it('do not hold up the start for long when the resolver is silent', async () => {
    const { deps, key, clock, resolver, token, write } = await setUp()
    await write([token])
    resolver.isSilent = true
    const opening = CapabilityAnchors.open(deps, 'dms', key)
    let isOpen = false
    void opening.finally(() => {
      isOpen = true
    })
    const startedMs = clock.monotonicMs()
    while (!isOpen) await clock.advance(1000)
    assert.ok(clock.monotonicMs() - startedMs <= 11_000)
    assert.equal((await opening).context.anchors.provide.length, 0)
  })
})

describe('a node whose key signs for a PRISM DID', () => {
  it('owns the context of that DID and issues tokens as it, published or not', async () => {
    const { deps, store, key, clock } = await setUp()
    const did = parseDid(`did:prism:${'2'.repeat(64)}`)
    const anchors = await CapabilityAnchors.open({ ...deps, did }, 'dms', key)
    assert.equal((await store.load('dms'))?.did, did)
    const granted = await anchors.context.grant({
      action: 'delegate',
      subject: didOf(key.publicKey),
      topics: [],
      capabilities: ['/public'],
      expiresAtNs: clock.nowNs() + 1_000_000_000n,
      depth: 0n
    })
    assert.equal(granted.issuer, did)
    assert.deepEqual(anchors.context.anchors.addRequire([granted]), { ok: true, value: undefined })
  })
})
