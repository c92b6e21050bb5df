/** Looking keys up: what is remembered, for how long, and how little a resolver can cost. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateKey } from '../../../../src/lib/crypto/index.ts'
import {
  createDidResolver,
  DID_CACHE_LIFE_MS,
  DID_CACHE_MAX_AGE_MS,
  DID_FAILURE_LIFE_MS,
  DID_FETCH_LIMIT_MS,
  type DidResolver,
  didOf,
  parseDid,
  prismDocuments,
  prismDocumentUrl
} from '../../../../src/lib/did/index.ts'
import type { Did } from '../../../../src/types/index.ts'
import { SeededRandom, utf8ToBytes, VirtualClock } from '../../../../src/utils/index.ts'

const key = generateKey(new SeededRandom(1)).publicKey
const DID = prism(1)

function prism(number: number): Did {
  return parseDid(`did:prism:${number.toString(16).padStart(64, '0')}`)
}

function documentOf(did: Did): Uint8Array {
  const publicKeyJwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key.raw).toString('base64url') }
  const verificationMethod = [{ id: '#a', type: 'JsonWebKey2020', publicKeyJwk }]
  return utf8ToBytes(JSON.stringify({ id: did, verificationMethod }))
}

interface Bench {
  readonly clock: VirtualClock
  readonly resolver: DidResolver
  readonly asked: Did[]
  answer: (did: Did, options: { signal: AbortSignal }) => Promise<Uint8Array>
}

function bench(signal?: AbortSignal): Bench {
  const clock = new VirtualClock()
  const asked: Did[] = []
  const made: Bench = {
    clock,
    asked,
    answer: async did => documentOf(did),
    resolver: createDidResolver({
      clock,
      signal,
      fetchDocument: (did, options) => {
        asked.push(did)
        return made.answer(did, options)
      }
    })
  }
  return made
}

describe('a resolver of DIDs', () => {
  it('knows a did:key without asking anybody', async () => {
    const { resolver, asked } = bench()
    assert.deepEqual(resolver.keyOf(didOf(key)).raw, key.raw)
    assert.deepEqual((await resolver.resolve(didOf(key))).raw, key.raw)
    assert.deepEqual(asked, [])
  })

  it('has a key once it was looked up, not before', async () => {
    const { resolver, asked } = bench()
    assert.throws(() => resolver.keyOf(DID), { code: 'DID_NOT_RESOLVED', retryable: true })
    assert.deepEqual((await resolver.resolve(DID)).raw, key.raw)
    assert.deepEqual(resolver.keyOf(DID).raw, key.raw)
    await resolver.resolve(DID)
    assert.deepEqual(asked, [DID])
  })

  it('asks once for all who want the same key at the same time', async () => {
    const { resolver, asked } = bench()
    await Promise.all([resolver.resolve(DID), resolver.resolve(DID), resolver.resolve(DID)])
    assert.deepEqual(asked, [DID])
  })

  it('forgets a key an hour after its last use', async () => {
    const { resolver, clock } = bench()
    await resolver.resolve(DID)
    await clock.advance(DID_CACHE_LIFE_MS)
    resolver.keyOf(DID)
    await clock.advance(DID_CACHE_LIFE_MS)
    resolver.keyOf(DID)
    await clock.advance(DID_CACHE_LIFE_MS + 1)
    assert.throws(() => resolver.keyOf(DID), { code: 'DID_NOT_RESOLVED' })
  })

  it('forgets a key some hours after it was fetched, however much it is used', async () => {
    const { resolver, clock } = bench()
    await resolver.resolve(DID)
    for (let hours = 0; hours < DID_CACHE_MAX_AGE_MS / DID_CACHE_LIFE_MS; hours++) {
      resolver.keyOf(DID)
      await clock.advance(DID_CACHE_LIFE_MS)
    }
    resolver.keyOf(DID)
    await clock.advance(1)
    assert.throws(() => resolver.keyOf(DID), { code: 'DID_NOT_RESOLVED' })
  })

  it('remembers a failure for a while, and says it to everybody', async () => {
    const made = bench()
    const { resolver, clock, asked } = made
    made.answer = async () => {
      throw new Error('connection refused')
    }
    await assert.rejects(resolver.resolve(DID), { code: 'DID_UNREACHABLE', message: /connection refused/ })
    made.answer = async did => documentOf(did)
    await assert.rejects(resolver.resolve(DID), { code: 'DID_UNREACHABLE' })
    assert.throws(() => resolver.keyOf(DID), { code: 'DID_UNREACHABLE' })
    assert.deepEqual(asked, [DID])
    await clock.advance(DID_FAILURE_LIFE_MS + 1)
    await resolver.resolve(DID)
    resolver.keyOf(DID)
  })

  it('refuses the document of another DID', async () => {
    const made = bench()
    made.answer = async () => documentOf(prism(2))
    await assert.rejects(made.resolver.resolve(DID), { code: 'DID_DOCUMENT_INVALID' })
  })

  it('gives a resolver that is silent thirty seconds', async () => {
    const made = bench()
    made.answer = () => new Promise(() => undefined)
    const rejected = assert.rejects(made.resolver.resolve(DID), { code: 'DID_UNREACHABLE' })
    await made.clock.advance(DID_FETCH_LIMIT_MS)
    await rejected
  })

  it('lets one who waits give up without taking the answer from the others', async () => {
    const made = bench()
    const answer = Promise.withResolvers<Uint8Array>()
    made.answer = () => answer.promise
    const controller = new AbortController()
    const impatient = assert.rejects(made.resolver.resolve(DID, { signal: controller.signal }), /enough/)
    const patient = made.resolver.resolve(DID)
    controller.abort(new Error('enough'))
    await impatient
    await assert.rejects(made.resolver.resolve(prism(2), { signal: controller.signal }), /enough/)
    answer.resolve(documentOf(DID))
    assert.deepEqual((await patient).raw, key.raw)
  })

  it('ends all look-ups with its own signal, and does not hold that against the DID', async () => {
    const controller = new AbortController()
    const made = bench(controller.signal)
    made.answer = () => new Promise(() => undefined)
    const rejected = assert.rejects(made.resolver.resolve(DID), /over/)
    controller.abort(new Error('over'))
    await rejected
    await assert.rejects(made.resolver.resolve(DID), /over/)
    assert.throws(() => made.resolver.keyOf(DID), { code: 'DID_NOT_RESOLVED' })
  })

  it('asks for four at once and lets few wait; whoever is turned away may ask again', async () => {
    const made = bench()
    const answer = Promise.withResolvers<void>()
    made.answer = async did => {
      await answer.promise
      return documentOf(did)
    }
    const results = Array.from({ length: 70 }, (_, number) => made.resolver.resolve(prism(number)))
    const settled = Promise.allSettled(results)
    await made.clock.advance(1)
    assert.equal(made.asked.length, 4)
    answer.resolve()
    const refused = (await settled).filter(({ status }) => status === 'rejected')
    assert.equal(refused.length, 70 - 68)
    await made.resolver.resolve(prism(69))
  })

  it('remembers a bounded number of keys, the latest used', async () => {
    const { resolver } = bench()
    for (let number = 0; number < 1024; number++) await resolver.resolve(prism(number))
    resolver.keyOf(prism(0))
    await resolver.resolve(prism(1024))
    resolver.keyOf(prism(0))
    assert.throws(() => resolver.keyOf(prism(1)), { code: 'DID_NOT_RESOLVED' })
  })

  it('looks nothing up without a resolver, and no method but prism', async () => {
    const none = createDidResolver({ clock: new VirtualClock() })
    await assert.rejects(none.resolve(DID), { code: 'DID_NO_RESOLVER', hint: /did\.prism_resolver/ })
    assert.throws(() => none.keyOf(DID), { code: 'DID_NO_RESOLVER' })
    const { resolver, asked } = bench()
    await assert.rejects(resolver.resolve(parseDid('did:web:example.org')), { code: 'DID_NO_RESOLVER' })
    assert.deepEqual(asked, [])
  })
})

describe('documents of a PRISM resolver', () => {
  it('are found below the base address, the DID as a path segment', () => {
    for (const base of ['https://prism.example/x', 'https://prism.example/x/', 'https://prism.example/x//'])
      assert.equal(prismDocumentUrl(base, DID).href, `https://prism.example/x/api/dids/${DID}`)
    assert.match(prismDocumentUrl('http://h', parseDid('did:prism:a%2Fb')).href, /\/did:prism:a%252Fb$/)
  })

  it('are asked for as DID documents, within a bound', async () => {
    const calls: unknown[] = []
    const fetchDocument = prismDocuments(async (url, request) => {
      calls.push([url.href, request])
      return { status: 200, body: documentOf(DID) }
    }, 'http://h')
    assert.deepEqual(await fetchDocument(DID, { signal: new AbortController().signal }), documentOf(DID))
    const headers = { Accept: 'application/did+json,application/json' }
    assert.deepEqual(calls, [[`http://h/api/dids/${DID}`, { headers, maxBytes: 65_536 }]])
  })

  for (const [status, hint] of [
    [404, /not published/],
    [410, /deactivated/],
    [302, /address of the resolver/],
    [500, /address of the resolver/]
  ] as const) {
    it(`count only with status 200, not ${status}`, async () => {
      const fetchDocument = prismDocuments(async () => ({ status, body: documentOf(DID) }), 'http://h')
      const { signal } = new AbortController()
      await assert.rejects(fetchDocument(DID, { signal }), { code: 'DID_UNREACHABLE', hint })
    })
  }
})
