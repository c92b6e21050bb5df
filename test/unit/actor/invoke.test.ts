import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import {
  encodeEnvelope,
  MAX_PAYLOAD_BYTES,
  messageProtocol,
  signEnvelope,
  type UnsignedEnvelope
} from '../../../src/actor/index.ts'
import type { PeerId, Refusal, Result } from '../../../src/types/index.ts'
import { NuError, utf8ToBytes } from '../../../src/utils/index.ts'
import { everyone, type TestNode, TestWorld } from './helpers.ts'

const BLOB = utf8ToBytes('{"invoke":[],"delegate":[],"chained":[]}')
const hello = '/public/hello'

function host(node: TestNode): PeerId {
  return node.network.peerId
}

function refusalOf(result: Result<unknown>): Refusal {
  assert.equal(result.ok, false)
  return result.error
}

/** A signed message of `from` as it would write it by hand. */
function handMade(world: TestWorld, from: TestNode, to: TestNode, changes: Partial<UnsignedEnvelope> = {}) {
  return signEnvelope(
    {
      to: to.root.handle,
      behavior: hello,
      from: from.root.handle,
      nonce: 1n,
      options: { expiresAtNs: world.clock.nowNs() + 1_000_000_000n, replyTo: '', topic: '' },
      message: new Uint8Array(),
      capabilities: BLOB,
      ...changes
    },
    from.key
  )
}

/** Counts how often the behaviour ran. */
function counting(node: TestNode, path = hello) {
  const seen = { count: 0 }
  node.root.addBehavior({ path, request: z.unknown(), handle: () => void seen.count++ })
  return seen
}

describe('invoking a behaviour', () => {
  it('brings the reply of the handler, from the asked actor, and leaves nothing behind', async () => {
    const world = new TestWorld('invoke')
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    bob.root.addBehavior({
      path: hello,
      request: z.object({ name: z.string() }),
      handle: ({ payload, from, behavior, isBroadcast }) => ({
        text: `hello ${payload.name}`,
        known: from.id === alice.root.handle.id,
        behavior,
        isBroadcast
      })
    })
    const reply = await alice.root.invoke(bob.root.handle, hello, { name: 'alice' })
    assert.deepEqual(reply, {
      ok: true,
      value: {
        from: bob.root.handle,
        payload: { text: 'hello alice', known: true, behavior: hello, isBroadcast: false }
      }
    })
    await world.settle()
    assert.equal(world.clock.pendingTimers, 0)
    assert.deepEqual([alice.context.live, bob.context.live], [0, 0], 'tokens were not released')
  })

  it('works with latency, several at once, each with its own reply', async () => {
    const world = new TestWorld('latency')
    world.hub.setLatency(10, 50)
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    bob.root.addBehavior({ path: '/echo', request: z.number(), handle: ({ payload }) => payload })
    const calls = Array.from({ length: 40 }, (_, index) => alice.root.invoke(bob.root.handle, '/echo', index))
    await world.clock.advance(1000)
    const replies = await Promise.all(calls)
    assert.deepEqual(
      replies.map(reply => (reply.ok ? reply.value.payload : reply.error.code)),
      Array.from({ length: 40 }, (_, index) => index)
    )
    assert.equal(world.clock.pendingTimers, 0)
  })

  it('passes the handler the expiry of the message and a signal that fires with it', async () => {
    const world = new TestWorld('signal')
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    const reason = Promise.withResolvers<unknown>()
    let expiresAtNs = 0n
    bob.root.addBehavior({
      path: hello,
      request: z.unknown(),
      handle: context => {
        expiresAtNs = context.expiresAtNs
        context.signal.addEventListener('abort', () => reason.resolve(context.signal.reason))
        return new Promise<undefined>(() => {})
      }
    })
    const startNs = world.clock.nowNs()
    const call = alice.root.invoke(bob.root.handle, hello, {}, { timeoutMs: 5000 })
    await world.clock.advance(5001)
    assert.equal(expiresAtNs, startNs + 5_000_000_000n)
    assert.ok((await reason.promise) instanceof NuError)
    assert.equal(refusalOf(await call).code, 'ACTOR_NO_REPLY')
  })

  it('ends with silence as a refusal at the expiry, 30 s unless told otherwise', async () => {
    const world = new TestWorld('silence')
    await using alice = await world.node()
    await using bob = await world.node()
    counting(bob)
    const call = alice.root.invoke(bob.root.handle, hello, {})
    let isOver = false
    void call.then(() => {
      isOver = true
    })
    await world.clock.advance(29_999)
    assert.equal(isOver, false)
    await world.clock.advance(1)
    assert.equal(refusalOf(await call).code, 'ACTOR_NO_REPLY')
    assert.equal(world.clock.pendingTimers, 0)
  })

  it('says at once when the peer cannot be reached or has no such actor', async () => {
    const world = new TestWorld('unreachable')
    await using alice = await world.node()
    await using bob = await world.node()
    world.hub.partition(host(alice), host(bob))
    const cut = refusalOf(await alice.root.invoke(bob.root.handle, hello, {}))
    assert.equal(cut.code, 'ACTOR_UNREACHABLE')
    assert.equal(cut.causes?.[0]?.code, 'NETWORK_UNREACHABLE')
    world.hub.heal()
    const elsewhere = { ...bob.root.handle, address: { host: host(bob), inbox: 'nobody' } }
    const noActor = refusalOf(await alice.root.invoke(elsewhere, hello, {}))
    assert.equal(noActor.causes?.[0]?.code, 'NETWORK_PROTOCOL_UNSUPPORTED')
    assert.equal(refusalOf(await alice.root.send(elsewhere, hello, {})).code, 'ACTOR_UNREACHABLE')
  })

  it('throws the reason of an abort and stops waiting', async () => {
    const world = new TestWorld('abort')
    await using alice = await world.node()
    await using bob = await world.node()
    counting(bob)
    const controller = new AbortController()
    const call = alice.root.invoke(bob.root.handle, hello, {}, { signal: controller.signal })
    await world.settle()
    controller.abort(new Error('enough'))
    await assert.rejects(call, /enough/)
    await assert.rejects(
      alice.root.invoke(bob.root.handle, hello, {}, { signal: controller.signal }),
      /enough/
    )
    assert.equal(world.clock.pendingTimers, 0)
  })

  it('takes a one-shot reply once and only from the actor that was asked', async () => {
    const world = new TestWorld('one-shot')
    await using alice = await world.node(everyone)
    await using bob = await world.node(everyone)
    await using mallory = await world.node(everyone)
    let replyTo = ''
    const release = Promise.withResolvers<void>()
    bob.root.addBehavior({
      path: hello,
      request: z.unknown(),
      handle: async () => {
        await release.promise
        return 'from bob'
      }
    })
    const call = alice.root.invoke(bob.root.handle, hello, {}, { replyTo: '/fixed/name' })
    replyTo = '/fixed/name'
    await world.settle()
    const forged = await mallory.root.send(alice.root.handle, replyTo, 'from mallory')
    assert.ok(forged.ok)
    await world.settle()
    release.resolve()
    const reply = await call
    assert.equal(reply.ok && reply.value.payload, 'from bob')
    await bob.root.send(alice.root.handle, replyTo, 'again')
    await world.settle()
    assert.deepEqual(alice.drops(), ['ACTOR_BEHAVIOR_UNKNOWN', 'ACTOR_BEHAVIOR_UNKNOWN'])
  })

  it('lets several calls wait under one fixed reply name, each for its own actor', async () => {
    const world = new TestWorld('fixed name')
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    await using carol = await world.node(everyone)
    for (const [node, text] of [[bob, 'bob'] as const, [carol, 'carol'] as const]) {
      node.root.addBehavior({ path: hello, request: z.unknown(), handle: () => text })
    }
    const options = { replyTo: '/dms/deployment/bid' }
    const replies = await Promise.all([
      alice.root.invoke(carol.root.handle, hello, {}, options),
      alice.root.invoke(bob.root.handle, hello, {}, options)
    ])
    assert.deepEqual(
      replies.map(reply => reply.ok && reply.value.payload),
      ['carol', 'bob']
    )
  })

  it('refuses a reply whose sender holds no right to it', async () => {
    const world = new TestWorld('unauthorised reply')
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    bob.root.addBehavior({
      path: hello,
      request: z.unknown(),
      handle: () => new Promise<undefined>(() => {})
    })
    const call = alice.root.invoke(bob.root.handle, hello, {}, { replyTo: '/r', timeoutMs: 1000 })
    await world.settle()
    await bob.root.send(alice.root.handle, '/r', 'without the delegation')
    await world.clock.advance(1000)
    assert.equal(refusalOf(await call).code, 'ACTOR_NO_REPLY')
    assert.ok(alice.drops().includes('UCAN_NOT_AUTHORIZED'))
  })

  it('goes through the same checks to itself and to its own child', async () => {
    const world = new TestWorld('self')
    await using alice = await world.node(everyone)
    const child = await alice.root.createChild({ inbox: 'worker' })
    for (const actor of [alice.root, child]) {
      actor.addBehavior({ path: hello, request: z.unknown(), handle: ({ from }) => from.address.inbox })
    }
    const toSelf = await alice.root.invoke(alice.root.handle, hello, {})
    assert.equal(toSelf.ok && toSelf.value.payload, 'root')
    const toChild = await alice.root.invoke(child.handle, hello, {})
    assert.equal(toChild.ok && toChild.value.payload, 'root')
    alice.context.policy = {}
    const refused = await alice.root.invoke(child.handle, hello, {})
    assert.equal(refusalOf(refused).code, 'ACTOR_REFUSED', 'it needs tokens, and its own node hears why')
  })
})

describe('what an actor refuses', () => {
  it('strangers get silence, callers that are known get the tree', async () => {
    const world = new TestWorld('refusals')
    await using alice = await world.node()
    await using bob = await world.node()
    const ran = counting(bob)
    const stranger = alice.root.invoke(bob.root.handle, hello, {})
    await world.clock.advance(30_000)
    assert.equal(refusalOf(await stranger).code, 'ACTOR_NO_REPLY')

    bob.context.policy = { knows: ({ origin }) => origin === alice.did }
    const tree = refusalOf(await alice.root.invoke(bob.root.handle, hello, {}))
    assert.equal(tree.code, 'ACTOR_REFUSED')
    assert.equal(tree.causes?.[0]?.code, 'UCAN_NOT_AUTHORIZED')
    assert.equal(tree.causes?.[0]?.causes?.[0]?.message, "token 1 of 1 gives '/else'")
    await world.settle()
    assert.equal(ran.count, 0)
    assert.deepEqual([alice.context.live, bob.context.live], [0, 0])
  })

  it('an unknown behaviour is named to who may ask, and silent to strangers', async () => {
    const world = new TestWorld('unknown')
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    const tree = refusalOf(await alice.root.invoke(bob.root.handle, '/dms/typo', {}))
    assert.equal(tree.causes?.[0]?.code, 'ACTOR_BEHAVIOR_UNKNOWN')
    bob.context.policy = {}
    const stranger = alice.root.invoke(bob.root.handle, '/dms/typo', {}, { timeoutMs: 10 })
    await world.clock.advance(10)
    assert.equal(refusalOf(await stranger).code, 'ACTOR_NO_REPLY')
  })

  it('never answers a message that asks for no reply', async () => {
    const world = new TestWorld('no cont')
    await using alice = await world.node()
    await using bob = await world.node({ knows: () => true })
    counting(bob)
    assert.ok((await alice.root.send(bob.root.handle, hello, {})).ok)
    await world.settle()
    assert.deepEqual(bob.drops(), ['UCAN_NOT_AUTHORIZED'])
    assert.deepEqual(alice.drops(), [])
  })

  it('forged host, wrong signature, mutated text, another receiver, expired: none of them runs anything', async () => {
    const world = new TestWorld('forgeries')
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    await using mallory = await world.node()
    const ran = counting(bob)
    const good = handMade(world, alice, bob)
    const inbox = messageProtocol('root')
    const send = async (from: TestNode, bytes: Uint8Array) => {
      await from.network.send(host(bob), inbox, bytes)
      await world.settle()
      return bob.drops().at(-1)
    }
    assert.equal(await send(mallory, encodeEnvelope(good)), 'ACTOR_HOST_FORGED')
    assert.equal(await send(alice, encodeEnvelope({ ...good, nonce: 2n })), 'ACTOR_SIGNATURE_INVALID')
    const claimed = { ...mallory.root.handle, address: alice.root.handle.address }
    const stolenHost = signEnvelope({ ...good, from: claimed }, mallory.key)
    assert.equal(await send(mallory, encodeEnvelope(stolenHost)), 'ACTOR_HOST_FORGED')
    const stolenId = signEnvelope(
      { ...good, from: { ...alice.root.handle, address: mallory.root.handle.address } },
      mallory.key
    )
    assert.equal(await send(mallory, encodeEnvelope(stolenId)), 'ACTOR_SIGNATURE_INVALID')
    assert.equal(await send(alice, encodeEnvelope(good).slice(1)), 'ACTOR_MESSAGE_MALFORMED')
    const misdirected = handMade(world, alice, bob, { to: mallory.root.handle })
    assert.equal(await send(alice, encodeEnvelope(misdirected)), 'ACTOR_NOT_ADDRESSED')
    const expired = handMade(world, alice, bob, {
      options: { ...good.options, expiresAtNs: world.clock.nowNs() - 1n }
    })
    assert.equal(await send(alice, encodeEnvelope(expired)), 'ACTOR_MESSAGE_EXPIRED')
    assert.equal(ran.count, 0)
    await send(alice, encodeEnvelope(good))
    assert.equal(ran.count, 1, 'the unchanged message is fine')
  })

  it('a repeated message, also with another route through the text', async () => {
    const world = new TestWorld('replay')
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    const ran = counting(bob)
    const bytes = encodeEnvelope(handMade(world, alice, bob))
    for (let time = 0; time < 3; time++) await alice.network.send(host(bob), messageProtocol('root'), bytes)
    await alice.network.send(host(bob), messageProtocol('root'), Buffer.concat([Buffer.from(' '), bytes]))
    await world.settle()
    assert.equal(ran.count, 1)
    assert.deepEqual(bob.drops(), ['ACTOR_REPLAYED', 'ACTOR_REPLAYED', 'ACTOR_REPLAYED'])
  })

  it('a message of a stranger leaves no trace: it works once the stranger was let in', async () => {
    const world = new TestWorld('no trace')
    await using alice = await world.node()
    await using bob = await world.node()
    const ran = counting(bob)
    const bytes = encodeEnvelope(handMade(world, alice, bob))
    for (const policy of [{}, everyone]) {
      bob.context.policy = policy
      await alice.network.send(host(bob), messageProtocol('root'), bytes)
      await world.settle()
    }
    assert.equal(ran.count, 1)
  })

  it('what a forger sent does not make the true message look repeated', async () => {
    const world = new TestWorld('poison')
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    const ran = counting(bob)
    const good = handMade(world, alice, bob)
    for (const bytes of [encodeEnvelope({ ...good, signature: new Uint8Array(64) }), encodeEnvelope(good)]) {
      await alice.network.send(host(bob), messageProtocol('root'), bytes)
    }
    await world.settle()
    assert.equal(ran.count, 1)
  })

  it('a flood: handlers in flight stay within the limit and others are still served', async () => {
    const world = new TestWorld('flood')
    await using alice = await world.node()
    await using carol = await world.node()
    await using bob = await world.node(everyone, { limits: { peerAllow: 4, peerAcquire: 5 } })
    const gate = Promise.withResolvers<void>()
    let inFlight = 0
    let most = 0
    bob.root.addBehavior({
      path: '/slow',
      request: z.unknown(),
      handle: async () => {
        most = Math.max(most, ++inFlight)
        await gate.promise
        inFlight--
      }
    })
    bob.root.addBehavior({ path: '/quick', request: z.unknown(), handle: () => 'here' })
    for (let index = 0; index < 60; index++) await alice.root.send(bob.root.handle, '/slow', index)
    await world.settle()
    assert.ok(most >= 4 && most <= 5, `${most} ran at once`)
    const other = await carol.root.invoke(bob.root.handle, '/quick', {})
    assert.equal(other.ok && other.value.payload, 'here')
    gate.resolve()
    await world.settle()
    assert.ok(bob.drops().every(code => code === 'ACTOR_BUSY'))
    const again = await alice.root.invoke(bob.root.handle, '/quick', {})
    assert.ok(again.ok, 'places were not given back')
  })

  it('but never the replies it waits for, however busy it is', async () => {
    const world = new TestWorld('busy')
    await using alice = await world.node(everyone)
    await using bob = await world.node(everyone, { limits: { peerAllow: 1, peerAcquire: 1 } })
    alice.root.addBehavior({ path: '/inner', request: z.unknown(), handle: () => 'inner' })
    bob.root.addBehavior({
      path: '/outer',
      request: z.unknown(),
      handle: async ({ from }) => {
        const inner = await bob.root.invoke(from, '/inner', {})
        return inner.ok ? inner.value.payload : inner.error.code
      }
    })
    const reply = alice.root.invoke(bob.root.handle, '/outer', {})
    await world.clock.advance(30_000)
    const answer = await reply
    assert.equal(answer.ok && answer.value.payload, 'inner')
  })

  it('more messages than the queue holds in one turn, of one peer no more than its share', async () => {
    const world = new TestWorld('queue')
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    const ran = counting(bob)
    const sends = Array.from({ length: 120 }, (_, index) => {
      const bytes = encodeEnvelope(handMade(world, alice, bob, { nonce: BigInt(index) }))
      return alice.network.send(host(bob), messageProtocol('root'), bytes)
    })
    await Promise.all(sends)
    await world.settle()
    assert.equal(ran.count + bob.drops().length, 120)
    assert.ok(ran.count >= 50, `only ${ran.count} ran`)
  })
})

describe('what goes wrong in a behaviour', () => {
  it('is told to the authorised caller: which member of the payload, or the code of the error', async () => {
    const world = new TestWorld('problems')
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    class FullError extends NuError {
      readonly code = 'DISK_FULL'
    }
    bob.root.addBehavior({
      path: '/typed',
      request: z.object({ size: z.number() }),
      handle: ({ payload }) => {
        if (payload.size > 1) throw new FullError('no space for 2 bytes')
        throw new Error('secret path /root/key')
      }
    })
    const ask = async (payload: unknown) =>
      refusalOf(await alice.root.invoke(bob.root.handle, '/typed', payload))
    const invalid = await ask({ size: 'big' })
    assert.equal(invalid.causes?.[0]?.code, 'ACTOR_PAYLOAD_INVALID')
    assert.match(invalid.causes?.[0]?.causes?.[0]?.message ?? '', /^size/)
    const full = await ask({ size: 2 })
    assert.deepEqual(full.causes?.[0]?.causes, [{ code: 'DISK_FULL', message: 'no space for 2 bytes' }])
    const bug = await ask({ size: 1 })
    assert.equal(bug.causes?.[0]?.code, 'ACTOR_HANDLER_FAILED')
    assert.doesNotMatch(JSON.stringify(bug), /secret/)
    assert.deepEqual(
      bob.lines.filter(line => line.level === 'warn').map(line => line.message),
      ['behaviour failed', 'behaviour failed']
    )
  })

  it('a reply that cannot be sent is told as well: too long, or no JSON', async () => {
    const world = new TestWorld('replies')
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    const replies: Record<string, unknown> = {
      '/long': 'x'.repeat(MAX_PAYLOAD_BYTES),
      '/fits': 'x'.repeat(MAX_PAYLOAD_BYTES - 2),
      '/bigint': 1n
    }
    for (const [path, value] of Object.entries(replies)) {
      bob.root.addBehavior({ path, request: z.unknown(), handle: () => value })
    }
    const ask = async (path: string) => await alice.root.invoke(bob.root.handle, path, {})
    assert.equal(refusalOf(await ask('/long')).causes?.[0]?.causes?.[0]?.code, 'ACTOR_REPLY_TOO_LARGE')
    assert.equal(refusalOf(await ask('/bigint')).causes?.[0]?.code, 'ACTOR_HANDLER_FAILED')
    assert.ok((await ask('/fits')).ok)
  })

  it('is answered by the behaviour itself when it declares how', async () => {
    const world = new TestWorld('onError')
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    bob.root.addBehavior({
      path: '/own',
      request: z.number(),
      handle: () => {
        throw new Error('broken')
      },
      onError: ({ message, refusal, error }) => ({
        OK: false,
        Error: refusal ? refusal.code : `${message}: ${String(error)}`
      })
    })
    const bad = await alice.root.invoke(bob.root.handle, '/own', 'text')
    assert.deepEqual(bad.ok && bad.value.payload, { OK: false, Error: 'ACTOR_PAYLOAD_INVALID' })
    const thrown = await alice.root.invoke(bob.root.handle, '/own', 1)
    assert.deepEqual(thrown.ok && thrown.value.payload, { OK: false, Error: 'handler failed: Error: broken' })
  })

  it('a handler over its time limit is answered for, and gives its place back', async () => {
    const world = new TestWorld('time limit')
    await using alice = await world.node()
    await using bob = await world.node(everyone, { limits: { peerAllow: 1, peerAcquire: 1 } })
    bob.root.addBehavior({
      path: '/stuck',
      request: z.unknown(),
      timeLimitMs: 100,
      handle: () => new Promise<undefined>(() => {})
    })
    for (let time = 0; time < 2; time++) {
      const call = alice.root.invoke(bob.root.handle, '/stuck', {})
      await world.clock.advance(100)
      assert.equal(refusalOf(await call).causes?.[0]?.causes?.[0]?.code, 'TIME_LIMIT')
      await world.settle()
    }
    assert.equal(world.clock.pendingTimers, 0)
  })

  it('a removed or replaced behaviour no longer answers', async () => {
    const world = new TestWorld('undo')
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    const add = (text: string) =>
      bob.root.addBehavior({ path: hello, request: z.unknown(), handle: () => text })
    const removeFirst = add('first')
    const removeSecond = add('second')
    removeFirst()
    const reply = await alice.root.invoke(bob.root.handle, hello, {})
    assert.equal(reply.ok && reply.value.payload, 'second')
    removeSecond()
    assert.equal(refusalOf(await alice.root.invoke(bob.root.handle, hello, {})).code, 'ACTOR_REFUSED')
  })
})
