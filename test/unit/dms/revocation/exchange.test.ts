import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { exactJson } from '../../../../src/actor/index.ts'
import {
  lackingRequestSchema,
  offerTexts,
  pageOf,
  readFewOffers,
  readOffers,
  readReply
} from '../../../../src/dms/revocation/exchange.ts'
import { Ledger } from '../../../../src/dms/revocation/ledger.ts'
import { formatToken, parseTokenList, type Token } from '../../../../src/lib/ucan/index.ts'
import { SeededRandom } from '../../../../src/utils/index.ts'
import { identity, NOW_NS, token } from '../../lib/parties.ts'

const issuer = identity('issuer')

/** An expiry whose digits a JavaScript number cannot hold. */
const EXPIRY = NOW_NS + 1n

function revocation(index: number): Token {
  return token(issuer, {
    subject: issuer.did,
    action: 'revoke',
    nonce: Uint8Array.of(index >> 8, index & 0xff),
    expiresAtNs: EXPIRY
  })
}

/** A ledger of some revocations and the way to their texts. */
function known(count: number, proofLength = 0) {
  const ledger = new Ledger()
  const texts = new Map<string, { revocation: string; proof?: string }>()
  for (let index = 0; index < count; index++) {
    const key = `key ${index}`
    ledger.add({
      key,
      expiresAtNs: EXPIRY,
      length: 10,
      charged: [],
      isProven: false,
      learntAtMs: 0,
      learntFrom: 'test'
    })
    const proof = proofLength > 0 ? { proof: `{"dms":{"pad":"${'x'.repeat(proofLength)}"}}` } : {}
    texts.set(key, { revocation: formatToken(revocation(index)), ...proof })
  }
  return { ledger, read: (key: string) => texts.get(key) }
}

describe('pages', () => {
  it('together hold everything once, and none is larger than a message can carry', () => {
    const { ledger, read } = known(300, 4000)
    const found: string[] = []
    let [After, pages] = ['', 0]
    do {
      const page = pageOf(ledger, { After }, read)
      const tokens = parseTokenList(page.revocations)
      assert.ok(tokens.ok && tokens.value.length > 0)
      found.push(...tokens.value.map(formatToken))
      assert.ok(page.revocations.length + page.proofs.length < 300_000)
      After = page.next
      pages++
    } while (After !== '' && pages < 100)
    assert.ok(pages > 1)
    assert.equal(new Set(found).size, 300)
    assert.equal(found.length, 300)
  })

  it('hold nothing for one who has seen it all, or has the same', () => {
    const { ledger, read } = known(5)
    const empty = { revocations: '{}', proofs: '{}', next: '', digest: ledger.digest() }
    assert.deepEqual(pageOf(ledger, { Seen: ledger.digest() }, read), empty)
    assert.deepEqual(pageOf(ledger, { Have: ledger.digests() }, read), empty)
    assert.notEqual(pageOf(ledger, { Seen: 'other' }, read).revocations, '{}')
  })

  it('pass over what is gone from the database', () => {
    const { ledger, read } = known(2)
    const page = pageOf(ledger, {}, key => (key === 'key 0' ? undefined : read(key)))
    const tokens = parseTokenList(page.revocations)
    assert.equal(tokens.ok && tokens.value.length, 1)
  })
})

describe('two nodes', () => {
  it('know the same after each has asked the other, whatever each knew before', () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = new SeededRandom(`exchange ${seed}`)
      const all = known(1 + random.below(400), random.below(3) * 900)
      const [one, two] = [new Ledger(), new Ledger()]
      for (const entry of all.ledger.values()) {
        const who = random.below(3)
        if (who !== 0) one.add(entry)
        if (who !== 1) two.add(entry)
      }
      const [pages, others] = [fetchAll(one, two, all), fetchAll(two, one, all)]
      assert.ok(pages + others < 20, `seed ${seed}`)
      assert.equal(one.digest(), all.ledger.digest(), `seed ${seed}`)
      assert.equal(two.digest(), all.ledger.digest(), `seed ${seed}`)
    }
  })
})

/** Lets `asker` fetch from `asked` as a sync does; returns the number of pages. */
function fetchAll(asker: Ledger, asked: Ledger, all: ReturnType<typeof known>): number {
  const keys = new Map(all.ledger.values().map(({ key }) => [all.read(key)?.revocation, key]))
  const Have = asker.digests()
  let [After, pages] = ['', 0]
  do {
    const page = pageOf(asked, { Have, After }, all.read)
    const tokens = parseTokenList(page.revocations)
    assert.ok(tokens.ok)
    for (const text of tokens.value.map(formatToken)) {
      const entry = all.ledger.get(keys.get(text) ?? '')
      assert.ok(entry)
      asker.add(entry)
    }
    After = page.next
    pages++
  } while (After !== '')
  return pages
}

describe('a question', () => {
  it('of any other form than ours is turned away', () => {
    const digests = new Ledger().digests()
    assert.ok(lackingRequestSchema.safeParse({ Have: digests, After: 'ab', Seen: null }).success)
    assert.ok(lackingRequestSchema.safeParse({}).success)
    for (const request of [
      { Have: digests.slice(1) },
      { Have: digests.map(() => 'x') },
      { Have: digests.map(() => 'a'.repeat(33)) },
      { After: 'a'.repeat(65) },
      { After: 'xyz' },
      { Seen: 5 }
    ])
      assert.equal(lackingRequestSchema.safeParse(request).success, false, JSON.stringify(request))
  })
})

describe('an answer', () => {
  it('gives each revocation with its proof, every digit kept', () => {
    const revoked = revocation(1)
    const proof = { ...revoked, action: 'delegate' }
    const { revocations, proofs } = offerTexts([
      { revocation: revoked, proof },
      { revocation: revocation(2) }
    ])
    const reply = readReply({
      OK: true,
      Revoke: exactJson(revocations),
      Proof: exactJson(proofs),
      Next: '',
      Digest: 'ab'
    })
    assert.ok(reply.ok)
    assert.deepEqual(
      reply.value.offers.map(offer => [
        formatToken(offer.revocation),
        offer.proof && formatToken(offer.proof)
      ]),
      [
        [formatToken(revoked), formatToken(proof)],
        [formatToken(revocation(2)), undefined]
      ]
    )
  })

  it('that is none is a refusal', () => {
    const good = { OK: true, Revoke: {}, Proof: {}, Next: '', Digest: '' }
    assert.ok(readReply(good).ok)
    for (const bad of [
      undefined,
      'text',
      { ...good, OK: false },
      { ...good, Next: 'nowhere' },
      { ...good, Next: 'a'.repeat(65) },
      { ...good, Digest: 5 },
      { ...good, Revoke: { tok: [{}] } },
      { ...good, Proof: 'x' }
    ])
      assert.equal(readReply(bad).ok, false, JSON.stringify(bad))
  })

  it('may hold a single token, or nothing', () => {
    const single = readOffers(exactJson(formatToken(revocation(1))), null)
    assert.ok(single.ok)
    assert.equal(single.value.length, 1)
    assert.deepEqual(readOffers(undefined, undefined), { ok: true, value: [] })
  })

  it('by broadcast is bounded', () => {
    const many = (count: number) =>
      readFewOffers(
        exactJson(
          offerTexts(Array.from({ length: count }, (_, index) => ({ revocation: revocation(index) })))
            .revocations
        ),
        undefined
      )
    assert.equal(many(64).ok, true)
    const refused = many(65)
    assert.equal(!refused.ok && refused.error.code, 'REVOCATION_TOO_MANY')
    assert.equal(readFewOffers('x', undefined).ok, false)
  })
})
