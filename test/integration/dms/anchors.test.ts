/** Anchors of a running node by message: what an administrator adds is on disk before it counts (cli-api-config §6.9). */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { exactJson } from '../../../src/actor/index.ts'
import { generateKey } from '../../../src/lib/crypto/index.ts'
import { didOf, rootHandleOfPeer } from '../../../src/lib/did/index.ts'
import {
  createCapabilityStore,
  formatToken,
  formatTokenList,
  parseTokenList,
  type Token
} from '../../../src/lib/ucan/index.ts'
import { systemRandom } from '../../../src/utils/index.ts'
import { type Machine, World } from '../../utils/world.ts'
import { addMember, organisationGrants, revoke } from './members.ts'

type Answer = Record<string, unknown>

/** The node asks itself, as its owner does. */
async function ask(world: World, machine: Machine, path: string, payload: unknown): Promise<Answer> {
  const to = rootHandleOfPeer(machine.peerId)
  const asked = machine.node.actor.invoke(to, `/dms/cap/${path}`, payload, { timeoutMs: 20_000, exact: true })
  const reply = await world.settle(asked)
  assert.ok(reply.ok, reply.ok ? '' : JSON.stringify(reply.error))
  return Object(reply.value.payload)
}

function list(...tokens: readonly Token[]): unknown {
  return exactJson(formatTokenList(tokens))
}

function storeOf(world: World, machine: Machine) {
  const { clock } = world
  return createCapabilityStore({ files: machine.files, clock, random: systemRandom }, { directory: '/cap' })
}

const DONE = { OK: true, Error: '' }

async function tokensFor(world: World, machine: Machine) {
  const friend = await addMember(world)
  const required = await machine.context.grant({
    action: 'delegate',
    subject: friend.did,
    topics: [],
    capabilities: ['/dms/node/peers'],
    // Digits that a JavaScript number would lose.
    expiresAtNs: world.clock.nowNs() + 3_600_000_000_001n,
    depth: 0n
  })
  const provided = await friend.delegate(machine.did, '/public/hello')
  return { friend, required, provided }
}

describe('anchors added by message', () => {
  it('are in the file and in force, each by its own behaviour, with every digit, and once', async () => {
    await using world = await World.create()
    const machine = await world.addMachine({ onboard: false })
    const { friend, required, provided } = await tokensFor(world, machine)
    const [granted] = await organisationGrants(world, 1)
    assert.ok(granted)
    const revocation = await revoke(world, granted)
    const before = await storeOf(world, machine).load('dms')
    for (let time = 0; time < 2; time++) {
      assert.deepEqual(await ask(world, machine, 'root/anchor', { DID: [{ uri: friend.did }] }), DONE)
      assert.deepEqual(await ask(world, machine, 'require/anchor', { Token: list(required) }), DONE)
      assert.deepEqual(await ask(world, machine, 'provide/anchor', { Token: list(provided) }), DONE)
      assert.deepEqual(await ask(world, machine, 'revoke/anchor', { Token: list(revocation) }), DONE)
    }
    const { anchors } = machine.context
    assert.ok(anchors.roots.includes(friend.did))
    assert.deepEqual([anchors.require.length, anchors.provide.length, anchors.revoke.length], [2, 2, 1])
    const file = await storeOf(world, machine).load('dms')
    assert.deepEqual(file?.require.map(formatToken), [...(before?.require ?? []), required].map(formatToken))
    assert.deepEqual(file?.provide.map(formatToken), [...(before?.provide ?? []), provided].map(formatToken))
    assert.deepEqual(file?.revoke.map(formatToken), [formatToken(revocation)])
    await world.settle(machine.kill())
    await world.restart(machine)
    assert.ok(machine.context.anchors.require.some(token => token.expiresAtNs === required.expiresAtNs))
    const { Require } = await ask(world, machine, 'list', {})
    const listed = parseTokenList(JSON.stringify(Require))
    assert.ok(listed.ok && listed.value.some(token => formatToken(token) === formatToken(required)))
  })

  it('come in one request of the older form as well, all or nothing', async () => {
    await using world = await World.create()
    const machine = await world.addMachine({ onboard: false })
    const { friend, required, provided } = await tokensFor(world, machine)
    const [granted] = await organisationGrants(world, 1)
    assert.ok(granted)
    const revocation = await revoke(world, granted)
    const all = {
      Root: [{ uri: friend.did }],
      Require: list(required),
      Provide: list(provided),
      Revoke: list(revocation)
    }
    const spoiled = { ...all, Provide: list({ ...provided, signature: new Uint8Array(64) }) }
    const before = await machine.files.read('/cap/dms.cap')
    const refused = await ask(world, machine, 'anchor', spoiled)
    assert.equal(refused['OK'], false)
    assert.match(String(refused['Error']), /UCAN_SIGNATURE/)
    assert.deepEqual(await machine.files.read('/cap/dms.cap'), before)
    assert.deepEqual(machine.context.anchors.roots, [])
    assert.deepEqual(await ask(world, machine, 'anchor', all), DONE)
    const { anchors } = machine.context
    assert.deepEqual([anchors.roots.length, anchors.revoke.length], [1, 1])
    assert.ok(machine.node.revocations.registry.list(10).length === 1, 'and the revocation is handed on')
  })

  it('do not undo what the command line writes meanwhile', async () => {
    await using world = await World.create()
    const machine = await world.addMachine({ onboard: false })
    const { friend, required } = await tokensFor(world, machine)
    const other = didOf(generateKey(world.random).publicKey)
    // Written behind the daemon's back, and it was not told.
    await storeOf(world, machine).update('dms', file => ({ ...file, roots: [...file.roots, other] }))
    const many = await Promise.all([
      ask(world, machine, 'require/anchor', { Token: list(required) }),
      storeOf(world, machine).update('dms', file => ({ ...file, roots: [...file.roots, friend.did] }))
    ])
    assert.deepEqual(many[0], DONE)
    const file = await storeOf(world, machine).load('dms')
    assert.deepEqual(file?.roots, [other, friend.did])
    assert.ok(file?.require.some(token => formatToken(token) === formatToken(required)))
    assert.ok(machine.context.anchors.roots.includes(other), 'what the file held came into force with it')
  })

  it('count only once they are written', async () => {
    await using world = await World.create()
    const machine = await world.addMachine({ onboard: false })
    const { friend, required } = await tokensFor(world, machine)
    const write = machine.files.writeAtomic
    machine.files.writeAtomic = async () => {
      throw new Error('disk full')
    }
    const refused = await ask(world, machine, 'require/anchor', { Token: list(required) })
    assert.equal(refused['OK'], false)
    const root = await ask(world, machine, 'root/anchor', { DID: [{ uri: friend.did }] })
    assert.equal(root['OK'], false)
    machine.files.writeAtomic = write
    assert.deepEqual(machine.context.anchors.roots, [])
    assert.ok(!machine.context.anchors.require.some(token => formatToken(token) === formatToken(required)))
  })

  it('are refused with the reason when they make no sense', async () => {
    await using world = await World.create()
    const machine = await world.addMachine({ onboard: false })
    const { required, friend } = await tokensFor(world, machine)
    const foreign = await friend.delegate(friend.did, '/public')
    const cases: [path: string, payload: unknown, expected: RegExp][] = [
      ['anchor', {}, /names no anchor/],
      ['root/anchor', {}, /names no anchor/],
      ['root/anchor', { DID: ['nobody'] }, /not a DID/],
      ['root/anchor', { DID: [{ uri: 7 }] }, /not a DID/],
      ['root/anchor', { DID: Array.from({ length: 300 }, () => friend.did) }, /at most 256/],
      ['require/anchor', {}, /names no anchor/],
      ['require/anchor', { Token: 'text' }, /token list/],
      ['require/anchor', { Token: { tok: [{ dms: {} }] } }, /malformed/],
      ['require/anchor', { Token: { tok: [null] } }, /malformed/],
      ['provide/anchor', { Token: list(foreign) }, /this context belongs to/],
      ['revoke/anchor', { Token: list(required) }, /not a plain revocation/],
      ['revoke/broadcast', {}, /names no anchor/],
      ['revoke/broadcast', { Token: list(required) }, /not a plain revocation/],
      ['revoke/broadcast', { Token: list(...Array.from({ length: 65 }, () => required)) }, /at most 64/],
      ['anchor', { Require: 5 }, /token list/],
      ['anchor', { Provide: 5 }, /token list/],
      ['anchor', { Revoke: 5 }, /token list/],
      ['anchor', { Root: 5 }, /not a DID/],
      ['anchor', 'text', /payload/],
      ['revocation/list', { Limit: -1 }, /payload/]
    ]
    const before = await machine.files.read('/cap/dms.cap')
    for (const [path, payload, expected] of cases) {
      const answer = await ask(world, machine, path, payload)
      assert.equal(answer['OK'], false, path)
      assert.match(String(answer['Error']), expected, `${path} ${JSON.stringify(payload)}`)
    }
    assert.deepEqual(await machine.files.read('/cap/dms.cap'), before)
  })

  it('are taken in the spellings that requests may have', async () => {
    await using world = await World.create()
    const machine = await world.addMachine({ onboard: false })
    const { friend, required } = await tokensFor(world, machine)
    assert.deepEqual(
      await ask(world, machine, 'require/anchor', { token: exactJson(formatToken(required)) }),
      DONE
    )
    assert.deepEqual(await ask(world, machine, 'root/anchor', { did: friend.did }), DONE)
    assert.deepEqual(await ask(world, machine, 'anchor', { root: [friend.did], require: null }), DONE)
  })

  it('are nothing a member may add', async () => {
    await using world = await World.create()
    const machine = await world.addMachine({ onboard: false })
    const member = await addMember(world)
    for (const path of [
      'list',
      'anchor',
      'root/anchor',
      'require/anchor',
      'provide/anchor',
      'revoke/anchor',
      'revoke/broadcast',
      'revocation/status',
      'revocation/list'
    ]) {
      const to = rootHandleOfPeer(machine.peerId)
      const sent = await world.settle(
        member.actor.invoke(to, `/dms/cap/${path}`, { DID: [{ uri: member.did }] }, { timeoutMs: 2000 })
      )
      assert.ok(!sent.ok, path)
      assert.equal(sent.error.code, 'ACTOR_REFUSED', path)
    }
    assert.deepEqual(machine.context.anchors.roots, [])
  })

  it('a list that one message cannot hold leaves out the end and says how much', async () => {
    await using world = await World.create()
    const machine = await world.addMachine({ onboard: false })
    const tokens = await organisationGrants(world, 2000)
    const offers = await Promise.all(tokens.map(async token => ({ revocation: await revoke(world, token) })))
    await world.settle(machine.node.revocations.registry.addByHand(offers, 'test'))
    const listed = await ask(world, machine, 'list', {})
    const shown = parseTokenList(JSON.stringify(listed['Revoke']))
    assert.ok(shown.ok && shown.value.length > 500)
    assert.equal(shown.value.length + Number(listed['Omitted']), 2000)
    const page = await ask(world, machine, 'revocation/list', { Offset: 1950 })
    assert.equal(Object(page['Revocations']).length, 50)
    assert.equal(page['Total'], 2000)
  })
})
