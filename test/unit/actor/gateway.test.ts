import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import {
  buildMessage,
  createGateway,
  type Envelope,
  encodeEnvelope,
  type MessageRequest,
  messageProtocol,
  signEnvelope
} from '../../../src/actor/index.ts'
import { actorIdOf, generateKey } from '../../../src/lib/crypto/index.ts'
import { didOf, EMPTY_HANDLE } from '../../../src/lib/did/index.ts'
import { bytesToUtf8, utf8ToBytes } from '../../../src/utils/index.ts'
import { everyone, FakeContext, recordingLog, type TestNode, TestWorld } from './helpers.ts'

const hello = '/public/hello'

/** What a command line does: a fresh key, a handle on the local node, one message. */
async function command(
  world: TestWorld,
  node: TestNode,
  changes: Partial<MessageRequest> = {}
): Promise<Envelope> {
  const privateKey = generateKey(world.random)
  const did = didOf(generateKey(world.random).publicKey)
  const from = {
    id: actorIdOf(privateKey.publicKey),
    did,
    address: { host: node.network.peerId, inbox: 'user-1' }
  }
  return await buildMessage({
    privateKey,
    from,
    to: node.root.handle,
    behavior: hello,
    payload: {},
    expiresAtNs: world.clock.nowNs() + 1_000_000_000n,
    replyTo: '/private/user/1',
    nonce: 1n,
    context: new FakeContext(did).asContext(),
    ...changes
  })
}

function gatewayOf(world: TestWorld, node: TestNode) {
  const { log, codes } = recordingLog()
  return { gateway: createGateway({ network: node.network, clock: world.clock, log }), drops: codes }
}

function greeter(node: TestNode, text: string): void {
  node.root.addBehavior({ path: hello, topic: '/nunet/hello', request: z.unknown(), handle: () => text })
}

describe('the gateway', () => {
  it('brings the reply of the own node and of another one, and frees the inbox', async () => {
    const world = new TestWorld('gateway')
    await using alice = await world.node(everyone)
    await using bob = await world.node(everyone)
    greeter(alice, 'alice')
    greeter(bob, 'bob')
    const { gateway } = gatewayOf(world, alice)
    for (const node of [alice, bob]) {
      const request = await command(world, alice, { to: node.root.handle })
      const reply = await gateway.invoke(request)
      assert.equal(bytesToUtf8(reply.message), node === alice ? '"alice"' : '"bob"')
      assert.deepEqual(reply.from, node.root.handle)
      assert.deepEqual(reply.to, request.from)
    }
    await world.settle()
    assert.equal(world.clock.pendingTimers, 0)
  })

  it('sends without waiting for anything', async () => {
    const world = new TestWorld('send')
    await using alice = await world.node(everyone)
    let seen = 0
    alice.root.addBehavior({ path: hello, request: z.unknown(), handle: () => void seen++ })
    await gatewayOf(world, alice).gateway.send(await command(world, alice, { replyTo: '' }))
    await world.settle()
    assert.equal(seen, 1)
  })

  it('ends with TIME_LIMIT at the expiry when nothing came', async () => {
    const world = new TestWorld('timeout')
    await using alice = await world.node()
    const { gateway } = gatewayOf(world, alice)
    const call = gateway.invoke(await command(world, alice))
    const rejected = assert.rejects(call, { code: 'TIME_LIMIT' })
    await world.clock.advance(1000)
    await rejected
    assert.equal(world.clock.pendingTimers, 0)
  })

  it('ends when the client goes away', async () => {
    const world = new TestWorld('client')
    await using alice = await world.node()
    const { gateway } = gatewayOf(world, alice)
    const controller = new AbortController()
    const call = gateway.invoke(await command(world, alice), { signal: controller.signal })
    const rejected = assert.rejects(call, /gone/)
    await world.settle()
    controller.abort(new Error('gone'))
    await rejected
    alice.network.handleMessages(messageProtocol('user-1'), () => {}).unregister()
    assert.equal(world.clock.pendingTimers, 0)
  })

  it('refuses a second call with the same inbox, and one with the inbox of an actor', async () => {
    const world = new TestWorld('inbox')
    await using alice = await world.node()
    const { gateway } = gatewayOf(world, alice)
    const first = gateway.invoke(await command(world, alice))
    const rejected = assert.rejects(first, { code: 'TIME_LIMIT' })
    await assert.rejects(gateway.invoke(await command(world, alice)), { code: 'ACTOR_INBOX_TAKEN' })
    await world.clock.advance(1000)
    await rejected
  })

  it('tells the author at once of a message nobody would take', async () => {
    const world = new TestWorld('invalid')
    await using alice = await world.node()
    await using bob = await world.node()
    const { gateway } = gatewayOf(world, alice)
    const good = await command(world, alice)
    const key = generateKey(world.random)
    const from = { ...good.from, id: actorIdOf(key.publicKey) }
    const signed = (changes: Partial<Envelope>) => signEnvelope({ ...good, from, ...changes }, key)
    const bad: Record<string, Envelope> = {
      'another host': signed({ from: { ...from, address: { ...from.address, host: bob.network.peerId } } }),
      'root inbox': signed({ from: { ...from, address: { ...from.address, inbox: 'root' } } }),
      'no inbox': signed({ from: { ...from, address: { ...from.address, inbox: '' } } }),
      'no reply name': signed({ options: { ...good.options, replyTo: '' } }),
      'no destination': signed({ to: EMPTY_HANDLE }),
      'a topic': signed({ options: { ...good.options, topic: '/nunet' } }),
      expired: signed({ options: { ...good.options, expiresAtNs: 1n } }),
      'a changed payload': { ...good, message: utf8ToBytes('{"a":1}') }
    }
    for (const [name, envelope] of Object.entries(bad)) {
      await assert.rejects(gateway.invoke(envelope), { code: 'ACTOR_MESSAGE_INVALID' }, name)
    }
    await assert.rejects(gateway.broadcast(good), { code: 'ACTOR_MESSAGE_INVALID' })
    assert.equal(world.clock.pendingTimers, 0)
  })

  it('passes on why the destination cannot be reached', async () => {
    const world = new TestWorld('unreachable')
    await using alice = await world.node()
    await using bob = await world.node()
    await bob.root.stop()
    const call = gatewayOf(world, alice).gateway.invoke(await command(world, alice, { to: bob.root.handle }))
    await assert.rejects(call, { code: 'NETWORK_PROTOCOL_UNSUPPORTED' })
  })

  it('hands back no reply that is not what it claims to be', async () => {
    const world = new TestWorld('forged replies')
    await using alice = await world.node()
    await using bob = await world.node()
    await using mallory = await world.node()
    const { gateway, drops } = gatewayOf(world, alice)
    const request = await command(world, alice, { to: bob.root.handle })
    const call = gateway.invoke(request)
    await world.settle()
    const reply = {
      to: request.from,
      behavior: '/private/user/1',
      from: bob.root.handle,
      nonce: 7n,
      options: { expiresAtNs: request.options.expiresAtNs, replyTo: '', topic: '' },
      message: utf8ToBytes('"from bob"'),
      capabilities: new Uint8Array()
    }
    const good = signEnvelope(reply, bob.key)
    const attempts: [TestNode, Uint8Array, string][] = [
      [bob, utf8ToBytes('nonsense'), 'ACTOR_MESSAGE_MALFORMED'],
      [mallory, encodeEnvelope(good), 'ACTOR_HOST_FORGED'],
      [
        mallory,
        encodeEnvelope(signEnvelope({ ...reply, from: mallory.root.handle }, mallory.key)),
        'ACTOR_NOT_ASKED'
      ],
      [bob, encodeEnvelope(signEnvelope(reply, mallory.key)), 'ACTOR_SIGNATURE_INVALID'],
      [
        bob,
        encodeEnvelope(signEnvelope({ ...reply, to: alice.root.handle }, bob.key)),
        'ACTOR_NOT_ADDRESSED'
      ],
      [
        bob,
        encodeEnvelope(signEnvelope({ ...reply, behavior: '/private/user/2' }, bob.key)),
        'ACTOR_NOT_ADDRESSED'
      ]
    ]
    for (const [node, bytes, code] of attempts) {
      await node.network.send(alice.network.peerId, messageProtocol('user-1'), bytes)
      await world.settle()
      assert.equal(drops().at(-1), code)
    }
    await bob.network.send(alice.network.peerId, messageProtocol('user-1'), encodeEnvelope(good))
    assert.equal(bytesToUtf8((await call).message), '"from bob"')
  })

  it('collects the replies to a broadcast until it expires', async () => {
    const world = new TestWorld('broadcast')
    await using alice = await world.node(everyone)
    await using bob = await world.node(everyone)
    greeter(alice, 'alice')
    greeter(bob, 'bob')
    const { gateway } = gatewayOf(world, alice)
    const request = await command(world, alice, {
      to: EMPTY_HANDLE,
      topic: '/nunet/hello',
      replyTo: '/public/user/1'
    })
    const call = gateway.broadcast(request)
    await world.clock.advance(999)
    let isOver = false
    void call.then(() => {
      isOver = true
    })
    await world.settle()
    assert.equal(isOver, false)
    await world.clock.advance(1)
    const replies = await call
    assert.deepEqual(replies.map(reply => bytesToUtf8(reply.message)).sort(), ['"alice"', '"bob"'])
    assert.equal(world.clock.pendingTimers, 0)
  })
})
