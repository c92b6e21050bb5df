import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readBidAnswer, writeBid, writeDecline } from '../../../../src/dms/orchestrator/index.ts'
import { generateKey, peerIdOf } from '../../../../src/lib/crypto/index.ts'
import { rootHandleOfPeer } from '../../../../src/lib/did/index.ts'
import { SeededRandom } from '../../../../src/utils/index.ts'

const random = new SeededRandom('bids')
const key = generateKey(random)
const handle = rootHandleOfPeer(peerIdOf(key.publicKey))
const stranger = rootHandleOfPeer(peerIdOf(generateKey(random).publicKey))
const bid = {
  ensembleId: 'e1',
  node: 'front <&>',
  handle,
  location: { continent: 'Europe', country: 'DE' },
  addresses: ['192.0.2.1']
}

/** As it comes out of a message. */
function travel(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

function edit(value: unknown, member: string, replacement: unknown): unknown {
  const wire = travel(value) as { V1: Record<string, unknown> } // made by writeBid above
  return { ...wire, V1: { ...wire.V1, [member]: replacement } }
}

describe('a bid', () => {
  for (const era of ['later', 'v0.5'] as const) {
    it(`verifies after its journey in the form of ${era}`, () => {
      const answer = readBidAnswer(travel(writeBid({ ...bid, era }, key)), handle, 'e1')
      assert.ok(answer.ok)
      const [read] = answer.value.bids
      assert.ok(read)
      assert.equal(read.node, bid.node)
      assert.equal(read.location.continent, 'Europe')
      assert.deepEqual(read.addresses, ['192.0.2.1'])
    })
  }

  it('is written as a v0.5 release writes it, all five members of the location included', () => {
    const wire = travel(writeBid({ ...bid, era: 'v0.5' }, key)) as { V1: Record<string, unknown> } // made just here
    assert.deepEqual(Object.keys(wire.V1), [
      'EnsembleID',
      'NodeID',
      'Peer',
      'Location',
      'Handle',
      'Signature'
    ])
    assert.deepEqual(wire.V1['Location'], { region: 'Europe', country: 'DE', city: '', asn: 0, isp: '' })
  })

  const forgeries: [what: string, member: string, replacement: unknown, code: string][] = [
    ['another node', 'NodeID', 'back', 'BID_SIGNATURE'],
    ['another place', 'Location', { continent: 'Asia' }, 'BID_SIGNATURE'],
    ['another ensemble', 'EnsembleID', 'e2', 'BID_ENSEMBLE'],
    ['another peer', 'Peer', stranger.address.host, 'BID_PEER'],
    ['no signature', 'Signature', null, 'BID_SIGNATURE'],
    ['a signature that is not base64', 'Signature', '!!!', 'BID_SIGNATURE'],
    [
      'a handle of another peer',
      'Handle',
      {
        id: { pub: stranger.id },
        did: { uri: stranger.did },
        addr: { host: stranger.address.host, inbox: 'root' }
      },
      'BID_HANDLE'
    ]
  ]
  for (const [what, member, replacement, code] of forgeries) {
    it(`with ${what} put in is refused`, () => {
      const answer = readBidAnswer(
        edit(writeBid({ ...bid, era: 'later' }, key), member, replacement),
        handle,
        'e1'
      )
      assert.equal(answer.ok ? 'taken' : answer.error.code, code)
    })
  }

  it('that somebody else sends on is refused', () => {
    const answer = readBidAnswer(travel(writeBid({ ...bid, era: 'later' }, key)), stranger, 'e1')
    assert.equal(answer.ok ? 'taken' : answer.error.code, 'BID_PEER')
  })

  it('that is anything else is refused and never throws', () => {
    for (const junk of [undefined, null, 7, 'x', [], {}, { V1: {} }, { V1: null }]) {
      const answer = readBidAnswer(junk, handle, 'e1')
      assert.equal(answer.ok, false, JSON.stringify(junk))
    }
  })
})

describe('a declined request', () => {
  it('brings its tree of reasons back', () => {
    const tree = {
      code: 'BID_NONE',
      message: 'nothing fits',
      causes: [{ code: 'RESOURCES_CPU_LACKING', message: 'asked 4 cores, 1 free', details: { node: 'n' } }]
    }
    const answer = readBidAnswer(travel(writeDecline('e1', tree, true)), handle, 'e1')
    assert.ok(answer.ok && answer.value.decline)
    assert.deepEqual(answer.value.bids, [])
    assert.equal(answer.value.decline.permanent, true)
    assert.deepEqual(answer.value.decline.refusal, tree)
  })
})

describe('a bid with alternatives', () => {
  const declined = { refusal: { code: 'BID_SOME', message: 'not the big one' }, permanent: true }
  const wire = (): Record<string, unknown> =>
    writeBid({ ...bid, era: 'later', alternatives: ['back'], declined }, key)

  it('offers each node under a signature of its own, and says why not the rest', () => {
    const answer = readBidAnswer(travel(wire()), handle, 'e1')
    assert.ok(answer.ok)
    assert.deepEqual(
      answer.value.bids.map(read => read.node),
      [bid.node, 'back']
    )
    assert.equal(answer.value.decline?.refusal.code, 'BID_SOME')
    assert.equal(answer.value.isComplete, true)
  })

  it('is not believed at all when one of its signatures is not good', () => {
    const forged = travel(wire()) as { Alternatives: Record<string, unknown>[] } // made just above
    const answer = readBidAnswer(
      { ...forged, Alternatives: [{ ...forged.Alternatives[0], NodeID: 'elsewhere' }] },
      handle,
      'e1'
    )
    assert.equal(answer.ok ? 'taken' : answer.error.code, 'BID_SIGNATURE')
  })

  it('is known to be incomplete when it comes from a provider that names one node only', () => {
    const answer = readBidAnswer(travel(writeBid({ ...bid, era: 'v0.5' }, key)), handle, 'e1')
    assert.ok(answer.ok)
    assert.equal(answer.value.isComplete, false)
  })
})
