import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { encodeEnvelope, type Reply, signEnvelope } from '../../../src/actor/index.ts'
import { EMPTY_HANDLE } from '../../../src/lib/did/index.ts'
import { utf8ToBytes } from '../../../src/utils/index.ts'
import { everyone, type TestNode, TestWorld } from './helpers.ts'

const TOPIC = '/nunet/deployment'
const REQUEST = '/dms/deployment/request'
const BID = '/dms/deployment/bid'

function bidder(node: TestNode, bid: unknown): void {
  node.root.addBehavior({ path: REQUEST, topic: TOPIC, request: z.unknown(), handle: () => bid })
}

async function collect(replies: AsyncIterable<Reply>): Promise<unknown[]> {
  const payloads: unknown[] = []
  for await (const reply of replies) payloads.push(reply.payload)
  return payloads
}

describe('a broadcast', () => {
  it('reaches every listening actor but the sender itself, and yields their replies until it expires', async () => {
    const world = new TestWorld('three nodes')
    world.hub.setLatency(5, 20)
    await using alice = await world.node(everyone)
    await using bob = await world.node(everyone)
    await using carol = await world.node(everyone)
    await using dave = await world.node(everyone)
    bidder(alice, 'own')
    bidder(bob, 'bob')
    bidder(carol, 'carol')
    await world.clock.advance(100)
    const replies = collect(
      alice.root.broadcast(TOPIC, REQUEST, { id: 1 }, { replyTo: BID, timeoutMs: 1000 })
    )
    await world.clock.advance(1000)
    assert.deepEqual((await replies).sort(), ['bob', 'carol'])
    assert.deepEqual(dave.lines, [])
    assert.deepEqual(
      [alice, bob, carol].map(node => node.context.live),
      [0, 0, 0]
    )
    assert.equal(world.clock.pendingTimers, 0)
  })

  it('reaches other actors of the same node', async () => {
    const world = new TestWorld('same node')
    await using alice = await world.node(everyone)
    bidder(alice, 'own root')
    const child = await alice.root.createChild({ inbox: 'orchestrator' })
    const replies = collect(child.broadcast(TOPIC, REQUEST, {}, { replyTo: BID, timeoutMs: 50 }))
    await world.clock.advance(50)
    assert.deepEqual(await replies, ['own root'])
  })

  it('drops replies of actors that hold no right to reply', async () => {
    const world = new TestWorld('bids')
    await using bob = await world.node(everyone)
    await using carol = await world.node(everyone)
    await using alice = await world.node({ allows: ({ origin }) => origin === bob.did })
    bidder(bob, 'bob')
    bidder(carol, 'carol')
    const replies = collect(alice.root.broadcast(TOPIC, REQUEST, {}, { replyTo: BID, timeoutMs: 50 }))
    await world.clock.advance(50)
    assert.deepEqual(await replies, ['bob'])
    assert.deepEqual(alice.drops(), ['UCAN_NOT_AUTHORIZED'])
  })

  it('takes bids that come while nobody is reading yet, and those at the last moment', async () => {
    const world = new TestWorld('late reader')
    await using alice = await world.node(everyone)
    await using bob = await world.node(everyone)
    bidder(bob, 'early')
    const replies = alice.root.broadcast(TOPIC, REQUEST, {}, { replyTo: BID, timeoutMs: 50 })
    await world.clock.advance(51)
    assert.deepEqual(await collect(replies), ['early'])
    assert.equal(world.clock.pendingTimers, 0)
  })

  it('ends when the reader leaves, when it is aborted, and when the actor stops, without error or timer', async () => {
    const world = new TestWorld('endings')
    await using alice = await world.node(everyone)
    await using bob = await world.node(everyone)
    bidder(bob, 'bob')
    for await (const reply of alice.root.broadcast(TOPIC, REQUEST, {}, { replyTo: BID })) {
      assert.equal(reply.payload, 'bob')
      break
    }
    assert.equal(world.clock.pendingTimers, 0, 'after break')

    const controller = new AbortController()
    const aborted = collect(
      alice.root.broadcast(TOPIC, REQUEST, {}, { replyTo: BID, signal: controller.signal })
    )
    await world.settle()
    controller.abort()
    assert.deepEqual(await aborted, ['bob'])
    assert.equal(world.clock.pendingTimers, 0, 'after abort')

    const stopped = collect(alice.root.broadcast(TOPIC, REQUEST, {}, { replyTo: BID }))
    await world.settle()
    await alice.root.stop()
    assert.deepEqual(await stopped, ['bob'])
    assert.equal(world.clock.pendingTimers, 0, 'after stop')
  })

  it('publishes nothing when it is aborted before', async () => {
    const world = new TestWorld('aborted before')
    await using alice = await world.node(everyone)
    await using bob = await world.node(everyone)
    let asked = 0
    bob.root.addBehavior({ path: REQUEST, topic: TOPIC, request: z.unknown(), handle: () => void asked++ })
    assert.deepEqual(
      await collect(alice.root.broadcast(TOPIC, REQUEST, {}, { signal: AbortSignal.abort() })),
      []
    )
    await world.settle()
    assert.equal(asked, 0)
  })

  it('throws in the loop when it could not be published', async () => {
    const world = new TestWorld('no network')
    await using alice = await world.node(everyone)
    await alice.network.stop()
    await assert.rejects(collect(alice.root.broadcast(TOPIC, REQUEST, {})), { code: 'NETWORK_NOT_RUNNING' })
    await alice.root.stop()
    assert.deepEqual(
      await collect(alice.root.broadcast(TOPIC, REQUEST, {})),
      [],
      'a stopped actor hears nothing'
    )
    assert.equal(world.clock.pendingTimers, 0)
  })

  it('takes a bounded number of replies of one sender', async () => {
    const world = new TestWorld('many replies')
    await using alice = await world.node(everyone)
    await using bob = await world.node(everyone)
    await using carol = await world.node(everyone)
    let sender = Promise.resolve()
    bob.root.addBehavior({
      path: REQUEST,
      topic: TOPIC,
      request: z.unknown(),
      handle: ({ from }) => {
        sender = (async () => {
          for (let index = 0; index < 100; index++) await bob.root.send(from, BID, index)
        })()
      }
    })
    bidder(carol, 'carol')
    const replies = collect(alice.root.broadcast(TOPIC, REQUEST, {}, { replyTo: BID, timeoutMs: 50 }))
    await world.settle()
    await sender
    await world.clock.advance(50)
    const got = await replies
    assert.equal(got.filter(payload => typeof payload === 'number').length, 64)
    assert.ok(got.includes('carol'))
  })

  it('is refused to strangers without a word, and costs the sender of nonsense its standing', async () => {
    const world = new TestWorld('nonsense')
    await using alice = await world.node(everyone)
    await using bob = await world.node({ knows: () => true })
    let asked = 0
    bob.root.addBehavior({ path: REQUEST, topic: TOPIC, request: z.unknown(), handle: () => void asked++ })
    const replies = collect(alice.root.broadcast(TOPIC, REQUEST, {}, { timeoutMs: 10 }))
    await world.clock.advance(10)
    assert.deepEqual(await replies, [])
    assert.deepEqual(bob.drops(), ['UCAN_NOT_AUTHORIZED'])
    assert.equal(bob.network.scores()[alice.network.peerId]?.Score, 0)
    await alice.network.publish(TOPIC, utf8ToBytes('nonsense'))
    await world.settle()
    assert.ok((bob.network.scores()[alice.network.peerId]?.Score ?? 0) < 0)
    assert.equal(asked, 0)
  })

  it('is run once however often it is published', async () => {
    const world = new TestWorld('again')
    await using alice = await world.node(everyone)
    await using bob = await world.node(everyone)
    let asked = 0
    bob.root.addBehavior({ path: REQUEST, topic: TOPIC, request: z.unknown(), handle: () => void asked++ })
    const options = { expiresAtNs: world.clock.nowNs() + 1_000_000_000n, replyTo: '', topic: TOPIC }
    const bytes = encodeEnvelope(
      signEnvelope(
        {
          to: EMPTY_HANDLE,
          behavior: REQUEST,
          from: alice.root.handle,
          nonce: 1n,
          options,
          message: new Uint8Array(),
          capabilities: utf8ToBytes('{"invoke":[],"delegate":[],"chained":[]}')
        },
        alice.key
      )
    )
    for (let time = 0; time < 3; time++) await alice.network.publish(TOPIC, bytes)
    await world.settle()
    assert.equal(asked, 1)
  })

  it('also serves unicast requests of the same behaviour, and leaves the topic with the behaviour', async () => {
    const world = new TestWorld('both')
    await using alice = await world.node(everyone)
    await using bob = await world.node(everyone)
    const remove = bob.root.addBehavior({
      path: REQUEST,
      topic: TOPIC,
      request: z.unknown(),
      handle: () => 'bid'
    })
    const reply = await alice.root.invoke(bob.root.handle, REQUEST, {})
    assert.equal(reply.ok && reply.value.payload, 'bid')
    await world.settle()
    assert.deepEqual(alice.network.subscribers(TOPIC), [bob.network.peerId])
    remove()
    remove()
    await world.settle()
    assert.deepEqual(alice.network.subscribers(TOPIC), [])
  })
})
