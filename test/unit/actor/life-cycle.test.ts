import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { messageProtocol } from '../../../src/actor/index.ts'
import { generateKey } from '../../../src/lib/crypto/index.ts'
import { everyone, TestWorld } from './helpers.ts'

const hello = '/public/hello'

describe('the life of an actor', () => {
  it('is heard from start to stop, and both may be called twice', async () => {
    const world = new TestWorld('life')
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    bob.root.addBehavior({ path: hello, request: z.unknown(), handle: () => 'here' })
    await bob.root.start()
    assert.ok((await alice.root.invoke(bob.root.handle, hello, {})).ok)
    await bob.root.stop()
    await bob.root.stop()
    const reply = await alice.root.invoke(bob.root.handle, hello, {})
    assert.equal(reply.ok ? '' : reply.error.code, 'ACTOR_UNREACHABLE')
    await assert.rejects(bob.root.start(), { code: 'ACTOR_NOT_RUNNING' })
  })

  it('drops everything at stop: waiting calls, running handlers, children, topics, timers', async () => {
    const world = new TestWorld('stop')
    await using alice = await world.node(everyone)
    const bob = await world.node(everyone)
    const aborted = Promise.withResolvers<unknown>()
    const started = Promise.withResolvers<void>()
    bob.root.addBehavior({
      path: hello,
      topic: '/nunet/hello',
      request: z.unknown(),
      handle: ({ signal }) => {
        signal.addEventListener('abort', () => aborted.resolve(signal.reason))
        started.resolve()
        return new Promise<undefined>(() => {})
      }
    })
    alice.root.addBehavior({
      path: '/never',
      request: z.unknown(),
      handle: () => new Promise<undefined>(() => {})
    })
    const child = await bob.root.createChild({ inbox: 'child' })
    const waiting = [
      bob.root.invoke(alice.root.handle, '/never', {}),
      child.invoke(alice.root.handle, '/never', {})
    ]
    const asking = alice.root.invoke(bob.root.handle, hello, {}, { timeoutMs: 1000 })
    await started.promise
    await bob.root.stop()
    await aborted.promise
    for (const reply of await Promise.all(waiting))
      assert.equal(reply.ok ? '' : reply.error.code, 'ACTOR_NOT_RUNNING')
    await world.clock.advance(1000)
    const answer = await asking
    assert.equal(answer.ok ? '' : answer.error.code, 'ACTOR_NO_REPLY')
    await world.settle()
    assert.deepEqual(alice.network.subscribers('/nunet/hello'), [])
    for (const inbox of ['root', 'child'])
      bob.network.handleMessages(messageProtocol(inbox), () => {}).unregister()
    assert.equal(bob.context.live, 0)
    await alice.root.stop()
    assert.equal(world.clock.pendingTimers, 0)
    await bob.network.stop()
  })

  it('says that it is not running to who calls before start or after stop', async () => {
    const world = new TestWorld('not running')
    await using alice = await world.node(everyone)
    await alice.root.stop()
    const { handle } = alice.root
    for (const reply of [
      await alice.root.invoke(handle, hello, {}),
      await alice.root.send(handle, hello, {})
    ]) {
      assert.equal(reply.ok ? '' : reply.error.code, 'ACTOR_NOT_RUNNING')
    }
    await assert.rejects(alice.root.createChild({ inbox: 'x' }), { code: 'ACTOR_NOT_RUNNING' })
  })
})

describe('a child', () => {
  it('has its own key and inbox and shares DID and host with its parent', async () => {
    const world = new TestWorld('child')
    await using alice = await world.node()
    await using bob = await world.node(everyone)
    const child = await bob.root.createChild({ inbox: 'ensemble' })
    assert.notEqual(child.handle.id, bob.root.handle.id)
    assert.equal(child.handle.did, bob.root.handle.did)
    assert.deepEqual(child.handle.address, { host: bob.network.peerId, inbox: 'ensemble' })
    child.addBehavior({ path: hello, request: z.unknown(), handle: () => 'child' })
    const toChild = await alice.root.invoke(child.handle, hello, {})
    assert.equal(toChild.ok && toChild.value.payload, 'child')
    const toRoot = await alice.root.invoke(bob.root.handle, hello, {})
    assert.equal(toRoot.ok ? '' : toRoot.error.causes?.[0]?.code, 'ACTOR_BEHAVIOR_UNKNOWN')
  })

  it('is restored with the same identity from its exported key', async () => {
    const world = new TestWorld('restored')
    await using alice = await world.node(everyone)
    await using bob = await world.node(everyone)
    const before = await bob.root.createChild({ inbox: 'ensemble' })
    const privateKey = before.exportKey()
    await before.stop()
    const after = await bob.root.createChild({ inbox: 'ensemble', privateKey })
    assert.deepEqual(after.handle, before.handle)
    after.addBehavior({ path: hello, request: z.unknown(), handle: () => 'restored' })
    const reply = await alice.root.invoke(before.handle, hello, {})
    assert.equal(reply.ok && reply.value.payload, 'restored')
  })

  it('cannot take an inbox that is in use, nor one that names something else', async () => {
    const world = new TestWorld('inboxes')
    await using alice = await world.node()
    const first = await alice.root.createChild({ inbox: 'one' })
    await assert.rejects(alice.root.createChild({ inbox: 'one' }), { code: 'ACTOR_INBOX_TAKEN' })
    await assert.rejects(first.createChild({ inbox: 'root' }), { code: 'ACTOR_INBOX_TAKEN' })
    for (const inbox of ['', 'a/b', 'a b', 'a\n', 'x'.repeat(513)]) {
      await assert.rejects(
        alice.root.createChild({ inbox }),
        { code: 'ACTOR_INBOX_INVALID' },
        JSON.stringify(inbox)
      )
    }
    await first.stop()
    await (await alice.root.createChild({ inbox: 'one' })).stop()
  })

  it('refuses a stored key that is none', async () => {
    const world = new TestWorld('bad key')
    await using alice = await world.node()
    const bytes = generateKey(world.random).toProtobuf().slice(1)
    await assert.rejects(alice.root.createChild({ inbox: 'one', privateKey: bytes }))
    await (await alice.root.createChild({ inbox: 'one' })).stop()
  })
})
