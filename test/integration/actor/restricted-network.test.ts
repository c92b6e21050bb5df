/**
 * A restricted network as in identity-and-actors §11.1 and §11.2: an organisation vouches for users, each user owns a
 * node, and nodes accept who the organisation vouches for. Real keys, tokens and contexts over the in-memory network.
 */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import {
  type Actor,
  buildMessage,
  createGateway,
  createRootActor,
  decodePayload,
  type Reply,
  type RootActor
} from '../../../src/actor/index.ts'
import { actorIdOf, generateKey, type PrivateKey } from '../../../src/lib/crypto/index.ts'
import { didOfActorId, keySigner } from '../../../src/lib/did/index.ts'
import { type CapabilityContext, createCapabilityContext } from '../../../src/lib/ucan/index.ts'
import { createMemoryNetworkHub, type Network } from '../../../src/network/index.ts'
import { nullLogger } from '../../../src/observability/index.ts'
import type { Did, Handle, Result } from '../../../src/types/index.ts'
import { renderRefusal, SeededRandom, VirtualClock } from '../../../src/utils/index.ts'

const DAY_NS = 24n * 3600n * 1_000_000_000n
const PUBLIC = ['/public', '/broadcast', '/dms/deployment']
const TOPIC = '/nunet/deployment'
const REQUEST = '/dms/deployment/request'
const BID = '/dms/deployment/bid'

interface Party {
  readonly key: PrivateKey
  readonly did: Did
  readonly context: CapabilityContext
}

interface Node extends Party {
  readonly network: Network
  readonly root: RootActor
  readonly user: Party
}

class RestrictedNetwork implements AsyncDisposable {
  readonly clock = new VirtualClock()
  readonly random = new SeededRandom('restricted')
  readonly hub = createMemoryNetworkHub({ clock: this.clock, random: this.random })
  readonly organisation = this.party()
  readonly nodes: Node[] = []

  party(): Party {
    const key = generateKey(this.random)
    const signer = keySigner(key)
    const { context } = createCapabilityContext({
      clock: this.clock,
      random: this.random,
      owner: signer.did,
      signer
    })
    return { key, did: signer.did, context }
  }

  /** A node of a new user. With `isMember` the organisation vouches for the user, who passes that on to the node. */
  async node({ isMember }: { isMember: boolean }): Promise<Node> {
    const user = this.party()
    const own = this.party()
    own.context.anchors.addRoot(user.did)
    const network = this.hub.createNetwork(own.key)
    const { clock, random } = this
    const root = createRootActor({
      network,
      context: own.context,
      privateKey: own.key,
      clock,
      random,
      log: nullLogger
    })
    const node = { ...own, network, root, user }
    this.nodes.push(node)
    await this.#acceptOrganisation(node)
    if (isMember) await this.#vouchFor(node)
    await network.start()
    await root.start()
    return node
  }

  /** `cap grant -c user … <organisation>`, anchored with `-c dms --require`. */
  async #acceptOrganisation({ user, context }: Node): Promise<void> {
    const token = await user.context.grant(this.#request(this.organisation.did))
    must(context.anchors.addRequire([token]))
  }

  /** `cap grant -c organisation … <user>`, anchored at the user, then `cap delegate -c user … <node>`. */
  async #vouchFor({ user, did, context }: Node): Promise<void> {
    const membership = await this.organisation.context.grant(this.#request(user.did))
    must(user.context.anchors.addProvide([membership]))
    const tokens = must(await user.context.delegate({ ...this.#request(did), selfSign: 'no' }))
    must(context.anchors.addProvide(tokens))
  }

  #request(subject: Did) {
    const expiresAtNs = this.clock.nowNs() + 30n * DAY_NS
    return {
      action: 'delegate' as const,
      subject,
      topics: ['/nunet'],
      capabilities: PUBLIC,
      expiresAtNs,
      depth: 0n
    }
  }

  async settle(): Promise<void> {
    await this.clock.advance(0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { root, network } of this.nodes) {
      await root.stop()
      await network.stop()
    }
  }
}

function must<T>(result: Result<T>): T {
  assert.ok(result.ok, result.ok ? '' : renderRefusal(result.error))
  return result.value
}

function bidding(node: Node, bid: string): void {
  node.root.addBehavior({
    path: REQUEST,
    topic: TOPIC,
    request: z.object({ id: z.string() }),
    handle: () => ({ bid })
  })
  node.root.addBehavior({
    path: '/public/hello',
    request: z.unknown(),
    handle: () => ({ DID: { uri: node.did } })
  })
  node.root.addBehavior({ path: '/dms/node/peers', request: z.unknown(), handle: () => ({ Peers: [] }) })
}

async function collect(replies: AsyncIterable<Reply>): Promise<unknown[]> {
  const payloads: unknown[] = []
  for await (const reply of replies) payloads.push(reply.payload)
  return payloads
}

async function silence(world: RestrictedNetwork, call: Promise<Result<Reply>>): Promise<void> {
  await world.clock.advance(30_000)
  const reply = await call
  assert.equal(reply.ok ? 'a reply' : reply.error.code, 'ACTOR_NO_REPLY')
}

/** A member hears why it may not; only strangers get silence. */
async function refused(world: RestrictedNetwork, call: Promise<Result<Reply>>): Promise<void> {
  await world.settle()
  const reply = await call
  assert.equal(reply.ok ? 'a reply' : reply.error.code, 'ACTOR_REFUSED')
  const tree = reply.ok ? '' : renderRefusal(reply.error)
  assert.match(tree, /UCAN_NOT_AUTHORIZED/)
  assert.match(tree, /UCAN_WRONG_CAPABILITY/)
}

/** One command of the user of `node`, sent to `to` as the command line does. */
async function command(world: RestrictedNetwork, node: Node, user: Party, to: Handle, behavior: string) {
  const privateKey = generateKey(world.random)
  const from = {
    id: actorIdOf(privateKey.publicKey),
    did: user.did,
    address: { host: node.network.peerId, inbox: `user-${world.random.below(1_000_000)}` }
  }
  const { clock } = world
  const gateway = createGateway({ network: node.network, clock, log: nullLogger })
  const expiresAtNs = clock.nowNs() + 5_000_000_000n
  const { context } = user
  const replyTo = '/private/user/1'
  const message = { privateKey, from, to, behavior, payload: {}, expiresAtNs, replyTo, nonce: 1n, context }
  const reply = await gateway.invoke(await buildMessage(message))
  return must(decodePayload(reply.message))
}

describe('a restricted network', () => {
  it('lets members call public behaviours of each other and answers them', async () => {
    await using world = new RestrictedNetwork()
    const [alice, bob] = [await world.node({ isMember: true }), await world.node({ isMember: true })]
    bidding(bob, 'bob')
    const reply = must(await alice.root.invoke(bob.root.handle, '/public/hello', {}))
    assert.deepEqual(reply.payload, { DID: { uri: bob.did } })
    await refused(world, alice.root.invoke(bob.root.handle, '/dms/node/peers', {}))
  })

  it('keeps who is not a member out, without a word', async () => {
    await using world = new RestrictedNetwork()
    const [bob, stranger] = [await world.node({ isMember: true }), await world.node({ isMember: false })]
    bidding(bob, 'bob')
    await silence(world, stranger.root.invoke(bob.root.handle, '/public/hello', {}))
    const bids = collect(
      stranger.root.broadcast(TOPIC, REQUEST, { id: '1' }, { replyTo: BID, timeoutMs: 1000 })
    )
    await world.clock.advance(1000)
    assert.deepEqual(await bids, [])
  })

  it('carries bids of members to a broadcast, from three nodes and an orchestrator that is a child', async () => {
    await using world = new RestrictedNetwork()
    world.hub.setLatency(1, 10)
    const members = [await world.node({ isMember: true }), await world.node({ isMember: true })]
    const outsider = await world.node({ isMember: false })
    const alice = await world.node({ isMember: true })
    for (const [index, node] of [...members, outsider].entries()) bidding(node, `bid ${index}`)
    await world.clock.advance(100)
    const orchestrator: Actor = await alice.root.createChild({ inbox: 'ensemble-1' })
    const bids = collect(
      orchestrator.broadcast(TOPIC, REQUEST, { id: '1' }, { replyTo: BID, timeoutMs: 2000 })
    )
    await world.clock.advance(2000)
    // The outsider accepts the organisation's members and answers, but nobody vouches for its bid.
    assert.deepEqual(await bids, [{ bid: 'bid 0' }, { bid: 'bid 1' }])
    assert.equal(world.clock.pendingTimers, 0)
  })

  it("obeys its own user's commands in everything, and another user's in nothing but the public", async () => {
    await using world = new RestrictedNetwork()
    const [alice, bob] = [await world.node({ isMember: true }), await world.node({ isMember: true })]
    bidding(alice, 'alice')
    bidding(bob, 'bob')
    assert.deepEqual(await command(world, alice, alice.user, alice.root.handle, '/dms/node/peers'), {
      Peers: []
    })
    const remote = await command(world, alice, alice.user, bob.root.handle, '/public/hello')
    assert.deepEqual(remote, { DID: { uri: bob.did } })
    const foreign = await command(world, alice, alice.user, bob.root.handle, '/dms/node/peers')
    assert.match(JSON.stringify(foreign), /"Refusal":.*UCAN_WRONG_CAPABILITY/)
  })

  it('gives an orchestrator power over an allocation by a grant made at the allocation alone (§11.3)', async () => {
    await using world = new RestrictedNetwork()
    const [alice, provider] = [await world.node({ isMember: true }), await world.node({ isMember: true })]
    const other = await world.node({ isMember: true })
    const allocation = await provider.root.createChild({ inbox: 'allocation-1' })
    const orchestrator = await alice.root.createChild({ inbox: 'ensemble-1' })
    allocation.addBehavior({
      path: '/dms/allocation/start',
      request: z.unknown(),
      handle: () => ({ OK: true })
    })
    await refused(world, orchestrator.invoke(allocation.handle, '/dms/allocation/start', {}))
    assert.ok(allocation.handle.id !== '')
    const token = await provider.context.grant({
      action: 'delegate',
      subject: alice.did,
      audience: didOfActorId(allocation.handle.id),
      topics: [],
      capabilities: ['/dms/allocation'],
      expiresAtNs: world.clock.nowNs() + 3600n * 1_000_000_000n,
      depth: 1n
    })
    must(provider.context.anchors.addRequire([token]))
    const reply = must(await orchestrator.invoke(allocation.handle, '/dms/allocation/start', {}))
    assert.deepEqual(reply.payload, { OK: true })
    await refused(world, other.root.invoke(allocation.handle, '/dms/allocation/start', {}))
  })

  it('keeps a restored orchestrator in its powers: same key, same name', async () => {
    await using world = new RestrictedNetwork()
    const [alice, bob] = [await world.node({ isMember: true }), await world.node({ isMember: true })]
    const orchestrator = await alice.root.createChild({ inbox: 'ensemble-1' })
    orchestrator.addBehavior({ path: '/public/hello', request: z.unknown(), handle: () => 'before' })
    must(await bob.root.invoke(orchestrator.handle, '/public/hello', {}))
    const privateKey = orchestrator.exportKey()
    const { handle } = orchestrator
    await orchestrator.stop()
    const restored = await alice.root.createChild({ inbox: 'ensemble-1', privateKey })
    restored.addBehavior({ path: '/public/hello', request: z.unknown(), handle: () => 'after' })
    assert.equal(must(await bob.root.invoke(handle, '/public/hello', {})).payload, 'after')
  })

  it('tells a node that it anchors as a root at once what does not exist', async () => {
    await using world = new RestrictedNetwork()
    const [alice, bob] = [await world.node({ isMember: true }), await world.node({ isMember: true })]
    bob.context.anchors.addRoot(alice.did)
    const refused = await alice.root.invoke(bob.root.handle, '/dms/typo', {})
    assert.equal(refused.ok, false)
    assert.equal(refused.error.code, 'ACTOR_REFUSED')
    assert.equal(refused.error.causes?.[0]?.code, 'ACTOR_BEHAVIOR_UNKNOWN')
  })
})
