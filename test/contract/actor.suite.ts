/**
 * What two nodes' actors must be able to do over any implementation of the network: every path of a message goes
 * through real framing, negotiation and gossip. Real keys and tokens, real time, no fixed ports.
 */

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { z } from 'zod'
import {
  createRootActor,
  encodeEnvelope,
  MAX_PAYLOAD_BYTES,
  messageProtocol,
  type RootActor,
  signEnvelope
} from '../../src/actor/index.ts'
import { generateKey, type PrivateKey } from '../../src/lib/crypto/index.ts'
import { keySigner } from '../../src/lib/did/index.ts'
import { type CapabilityContext, createCapabilityContext } from '../../src/lib/ucan/index.ts'
import type { Network } from '../../src/network/index.ts'
import { nullLogger } from '../../src/observability/index.ts'
import { systemClock, systemRandom, utf8ToBytes } from '../../src/utils/index.ts'

export interface ActorHarness {
  /** A host with this key, started and connected to nobody. */
  create(key: PrivateKey): Promise<Network>
  /** Makes two hosts know each other. */
  connect(a: Network, b: Network): Promise<void>
}

interface Node {
  readonly key: PrivateKey
  readonly network: Network
  readonly context: CapabilityContext
  readonly root: RootActor
}

const LIMIT_MS = 10_000
const TOPIC = '/nunet/hello'

async function createNode(harness: ActorHarness): Promise<Node> {
  const key = generateKey(systemRandom)
  const signer = keySigner(key)
  const collaborators = { clock: systemClock, random: systemRandom }
  const { context } = createCapabilityContext({ ...collaborators, owner: signer.did, signer })
  const network = await harness.create(key)
  const root = createRootActor({ ...collaborators, network, context, privateKey: key, log: nullLogger })
  await root.start()
  return { key, network, context, root }
}

/** Waits until the peer is known to listen: gossip takes a while to learn it. */
async function untilSubscribed(network: Network, topic: string): Promise<void> {
  const endMs = systemClock.monotonicMs() + LIMIT_MS
  while (network.subscribers(topic).length === 0) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const leave = network.onEvent(() => resolve())
    const timer = systemClock.setTimer(100, resolve, { keepAlive: true })
    await promise
    timer.cancel()
    leave()
    assert.ok(systemClock.monotonicMs() < endMs, 'subscription was never seen')
  }
}

/** Applies the suite to one implementation. */
export function describeActors(name: string, harness: ActorHarness): void {
  describe(`actors over the ${name} network`, () => {
    let alice: Node
    let bob: Node

    beforeEach(async () => {
      alice = await createNode(harness)
      bob = await createNode(harness)
      await harness.connect(alice.network, bob.network)
      bob.context.anchors.addRoot(alice.context.owner)
    })

    afterEach(async () => {
      for (const { root, network } of [alice, bob]) {
        await root.stop()
        await network.stop()
      }
    })

    it('invoke a behaviour and bring its reply, of any size that fits', async () => {
      const echo = {
        path: '/echo',
        request: z.string(),
        handle: ({ payload }: { payload: string }) => payload
      }
      bob.root.addBehavior(echo)
      for (const text of ['hello', 'x'.repeat(MAX_PAYLOAD_BYTES - 2)]) {
        const reply = await alice.root.invoke(bob.root.handle, '/echo', text)
        assert.ok(reply.ok, reply.ok ? '' : reply.error.message)
        assert.equal(reply.value.payload, text)
        assert.deepEqual(reply.value.from, bob.root.handle)
      }
    })

    it('invoke a child, which answers only in its own inbox', async () => {
      const child = await bob.root.createChild({ inbox: 'ensemble-1' })
      child.addBehavior({ path: '/who', request: z.unknown(), handle: () => 'child' })
      const reply = await alice.root.invoke(child.handle, '/who', {})
      assert.equal(reply.ok && reply.value.payload, 'child')
      await child.stop()
      const gone = await alice.root.invoke(child.handle, '/who', {}, { timeoutMs: LIMIT_MS })
      assert.equal(gone.ok ? '' : gone.error.code, 'ACTOR_UNREACHABLE')
    })

    it('talk to themselves without the network', async () => {
      alice.root.addBehavior({ path: '/who', request: z.unknown(), handle: () => 'me' })
      const reply = await alice.root.invoke(alice.root.handle, '/who', {})
      assert.equal(reply.ok && reply.value.payload, 'me')
    })

    it('know the host of a message by the connection, not by its words', async () => {
      let ran = 0
      bob.root.addBehavior({ path: '/count', request: z.unknown(), handle: () => ++ran })
      const carol = await createNode(harness)
      try {
        await harness.connect(carol.network, bob.network)
        const forged = signEnvelope(
          {
            to: bob.root.handle,
            behavior: '/count',
            from: alice.root.handle,
            nonce: 1n,
            options: { expiresAtNs: systemClock.nowNs() + 5_000_000_000n, replyTo: '', topic: '' },
            message: utf8ToBytes('{}'),
            capabilities: await alice.context.provideInvocation({
              target: bob.context.owner,
              subject: alice.context.owner,
              audience: bob.context.owner,
              expiresAtNs: systemClock.nowNs() + 5_000_000_000n,
              invoke: ['/count'],
              delegate: []
            })
          },
          alice.key
        )
        const bytes = encodeEnvelope(forged)
        await carol.network.send(bob.network.peerId, messageProtocol('root'), bytes)
        // Calls of Alice's that come later tell that the forged one was not counted.
        for (const count of [1, 2, 3]) {
          const reply = await alice.root.invoke(bob.root.handle, '/count', {})
          assert.equal(reply.ok && reply.value.payload, count)
        }
      } finally {
        await carol.root.stop()
        await carol.network.stop()
      }
    })

    it('broadcast, and stop listening when the first reply suffices', async () => {
      alice.context.anchors.addRoot(bob.context.owner)
      bob.root.addBehavior({
        path: '/broadcast/hello',
        topic: TOPIC,
        request: z.unknown(),
        handle: () => 'bob'
      })
      await untilSubscribed(alice.network, TOPIC)
      const payloads: unknown[] = []
      for await (const reply of alice.root.broadcast(
        TOPIC,
        '/broadcast/hello',
        {},
        { timeoutMs: LIMIT_MS }
      )) {
        payloads.push(reply.payload)
        break
      }
      assert.deepEqual(payloads, ['bob'])
    })
  })
}
