/** Revocations between whole nodes: by broadcast, by asking, over restarts, cuts and crashes, and against liars. */

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { exactJson } from '../../../src/actor/index.ts'
import { rootHandleOfPeer } from '../../../src/lib/did/index.ts'
import { formatToken, formatTokenList, type Token } from '../../../src/lib/ucan/index.ts'
import type { Result } from '../../../src/types/index.ts'
import { renderRefusal } from '../../../src/utils/index.ts'
import { type Machine, World } from '../../utils/world.ts'
import { addMember, type Member, organisationGrants, revoke } from './members.ts'
import { deploy, ensembleOf, SERVICE, untilStatus } from './support.ts'

const HELLO = '/public/hello'
const MINUTE_MS = 60_000

type Answer = Record<string, unknown>

/** One node asks another; the payload of the reply, or the code of the refusal with its tree. */
async function ask(
  world: World,
  from: Pick<Machine, 'node'> | Member,
  to: Machine,
  behavior: string,
  payload: unknown = {}
): Promise<{ answer?: Answer; code: string; tree: string }> {
  const actor = 'node' in from ? from.node.actor : from.actor
  const asked = actor.invoke(rootHandleOfPeer(to.peerId), behavior, payload, { timeoutMs: 5000, exact: true })
  const reply = await world.settle(asked)
  if (reply.ok) return { answer: Object(reply.value.payload), code: 'ok', tree: '' }
  return { code: reply.error.code, tree: renderRefusal(reply.error) }
}

function good<T>(result: Result<T>): T {
  assert.ok(result.ok, result.ok ? '' : renderRefusal(result.error))
  return result.value
}

/** The list as a value for a payload. */
function list(...tokens: readonly Token[]): unknown {
  return exactJson(formatTokenList(tokens))
}

/** Keys of the revocations a machine acts by, as the text of their nonces. */
function revokedAt(machine: Machine): string[] {
  return machine.context.anchors.revoke.map(token => Buffer.from(token.nonce ?? []).toString('hex'))
}

/** Whether the file of a machine holds the revocation. */
async function isStored(machine: Machine, revocation: Token): Promise<boolean> {
  const file = await machine.files.read('/cap/dms.cap')
  return Buffer.from(file ?? []).includes(formatToken(revocation))
}

describe('a revocation that is broadcast', () => {
  it('reaches every node, is written down, and its party hears why it is refused', async () => {
    await using world = await World.create()
    const [office, one, two] = [await world.addMachine(), await world.addMachine(), await world.addMachine()]
    const member = await addMember(world)
    assert.equal((await ask(world, member, one, HELLO)).code, 'ok')
    const revocation = await revoke(world, member.grant)
    const done = await ask(world, office, office, '/dms/cap/revoke/broadcast', { Token: list(revocation) })
    assert.deepEqual(done.answer, { OK: true, Error: '', Listeners: 2, Confirmed: 2 })
    for (const machine of [office, one, two]) assert.ok(await isStored(machine, revocation))
    for (const machine of [one, two]) {
      const refused = await ask(world, member, machine, HELLO)
      assert.equal(refused.code, 'ACTOR_REFUSED')
      assert.match(refused.tree, /UCAN_REVOKED/)
      assert.match(refused.tree, /was revoked by its issuer/)
    }
  })

  it('counts once, however often it comes, and again after a restart', async () => {
    await using world = await World.create()
    const [office, one] = [await world.addMachine(), await world.addMachine()]
    const member = await addMember(world)
    const revocation = await revoke(world, member.grant)
    for (let time = 0; time < 3; time++) {
      const done = await ask(world, office, office, '/dms/cap/revoke/broadcast', { Token: list(revocation) })
      assert.equal(done.answer?.['Confirmed'], 1)
    }
    assert.equal(revokedAt(one).length, 1)
    await world.settle(one.kill())
    await world.restart(one)
    assert.equal(revokedAt(one).length, 1)
    assert.equal((await ask(world, member, one, HELLO)).code, 'ACTOR_REFUSED')
  })

  it('may be sent by a member that was let in by another, with the token that it takes back', async () => {
    await using world = await World.create()
    const [office, one] = [await world.addMachine(), await world.addMachine()]
    const lead = await addMember(world)
    const helper = await addMember(world, { below: lead })
    assert.equal((await ask(world, helper, one, HELLO)).code, 'ok')
    const revocation = good(await lead.context.revoke(helper.grant))
    const bare = await ask(world, office, one, '/broadcast/cap/revoke', { Token: list(revocation) })
    assert.equal(bare.answer?.['OK'], false, 'nothing shows who the issuer is')
    assert.equal((await ask(world, helper, one, HELLO)).code, 'ok')
    const lone = await ask(world, office, office, '/dms/cap/revoke/broadcast', { Token: list(revocation) })
    assert.equal(lone.answer?.['Confirmed'], 0)
    assert.match(String(lone.answer?.['Refused']), /nothing shows that 'did:key:\S+' ever had a say here/)
    const proven = { Token: list(revocation), Proof: list(helper.grant) }
    const taken = await ask(world, office, one, '/broadcast/cap/revoke', proven)
    assert.deepEqual(taken.answer, { OK: true, Error: '', New: 1, Known: 0 })
    assert.equal((await ask(world, helper, one, HELLO)).code, 'ACTOR_REFUSED')
    assert.equal((await ask(world, lead, one, HELLO)).code, 'ok', 'only the link below is cut')
  })

  it('is nothing a stranger can send', async () => {
    await using world = await World.create()
    const one = await world.addMachine()
    const stranger = await world.addMachine({ stranger: true, onboard: false })
    const member = await addMember(world)
    const revocation = await revoke(world, member.grant)
    const sent = await ask(world, stranger, one, '/broadcast/cap/revoke', { Token: list(revocation) })
    assert.equal(sent.code, 'ACTOR_NO_REPLY')
    assert.deepEqual(revokedAt(one), [])
  })
})

describe('what a node knows', () => {
  it('is told to members, and to nobody else', async () => {
    await using world = await World.create()
    const one = await world.addMachine()
    const stranger = await world.addMachine({ stranger: true, onboard: false })
    const [member, former] = [await addMember(world), await addMember(world)]
    const revocation = await revoke(world, former.grant)
    await world.settle(one.node.revocations.registry.addByHand([{ revocation }], 'test'))
    const told = await ask(world, member, one, '/public/cap/revocations')
    assert.equal(told.code, 'ok')
    assert.deepEqual(JSON.stringify(told.answer?.['Revoke']), formatTokenList([revocation]))
    assert.equal((await ask(world, former, one, '/public/cap/revocations')).code, 'ACTOR_REFUSED')
    assert.equal((await ask(world, stranger, one, '/public/cap/revocations')).code, 'ACTOR_NO_REPLY')
  })

  it('is asked for in one form only', async () => {
    await using world = await World.create()
    const [one, member] = [await world.addMachine(), await addMember(world)]
    for (const request of [{ Have: ['a'] }, { After: 'x' }, 'text', { Have: 'all' }]) {
      const told = await ask(world, member, one, '/public/cap/revocations', request)
      assert.equal(told.answer?.['OK'], false, JSON.stringify(request))
    }
  })
})

describe('a node that was away', () => {
  it('asks whom it meets for what it missed, and so does one that asks it', async () => {
    await using world = await World.create()
    const [office, one, two] = [await world.addMachine(), await world.addMachine(), await world.addMachine()]
    const member = await addMember(world)
    await world.settle(one.stop())
    const revocation = await revoke(world, member.grant)
    await ask(world, office, office, '/dms/cap/revoke/broadcast', { Token: list(revocation) })
    await world.settle(office.stop())
    await world.restart(one)
    await world.until('the revocation', () => revokedAt(one).length === 1, MINUTE_MS)
    assert.ok(await isStored(one, revocation))
    assert.equal(revokedAt(two).length, 1)
    assert.equal((await ask(world, member, one, HELLO)).code, 'ACTOR_REFUSED')
  })

  it('learns it by whichever way it is reached when the network heals', async () => {
    await using world = await World.create()
    const machines = [await world.addMachine(), await world.addMachine(), await world.addMachine()]
    const [office, one, far] = machines
    assert.ok(office && one && far)
    const member = await addMember(world)
    for (const machine of [office, one]) world.hub.partition(machine.peerId, far.peerId)
    await ask(world, office, office, '/dms/cap/revoke/broadcast', {
      Token: list(await revoke(world, member.grant))
    })
    assert.deepEqual(revokedAt(far), [])
    world.hub.heal()
    await world.until('the revocation', () => revokedAt(far).length === 1, MINUTE_MS)
  })

  it('fetches a great many in pages, and only what it lacks', async () => {
    await using world = await World.create()
    const [office, one] = [await world.addMachine(), await world.addMachine()]
    await world.settle(one.stop())
    const tokens = await organisationGrants(world, 1500)
    const { registry } = office.node.revocations
    const revocations = await Promise.all(tokens.map(token => revoke(world, token)))
    await world.settle(
      registry.addByHand(
        revocations.map(revocation => ({ revocation })),
        'test'
      )
    )
    await world.restart(one)
    await world.until('all of them', () => revokedAt(one).length === 1500, MINUTE_MS)
    assert.equal(one.node.revocations.registry.ledger.digest(), registry.ledger.digest())
    // One more: the page that brings it holds its bucket, not everything.
    const [late] = await organisationGrants(world, 1)
    assert.ok(late)
    await world.settle(registry.addByHand([{ revocation: await revoke(world, late) }], 'test'))
    const page = office.node.revocations.lacking({ Have: one.node.revocations.registry.ledger.digests() })
    assert.ok(page.revocations.split('"revoke"').length - 1 < 30, 'a bucket')
    assert.equal(page.next, '')
  })

  it('that was killed between the database and the file puts it in force at the next start', async () => {
    await using world = await World.create()
    const one = await world.addMachine()
    const member = await addMember(world)
    const revocation = await revoke(world, member.grant)
    // The file cannot be written any more: as far as a crash right then is concerned, it never was.
    const write = one.files.writeAtomic
    one.files.writeAtomic = async () => {
      throw new Error('disk full')
    }
    const offered = await world.settle(one.node.revocations.registry.offer([{ revocation }], 'test'))
    assert.equal(offered.added, 1)
    assert.equal(revokedAt(one).length, 1, 'it counts although the file could not be written')
    one.files.writeAtomic = write
    await world.settle(one.kill())
    assert.equal(await isStored(one, revocation), false)
    await world.restart(one)
    assert.equal(revokedAt(one).length, 1)
    assert.ok(await isStored(one, revocation))
  })
})

describe('in a crowd', () => {
  it('nobody asks everybody, and everybody learns', async () => {
    await using world = await World.create()
    const machines: Machine[] = []
    for (let count = 0; count < 12; count++) machines.push(await world.addMachine({ onboard: false }))
    const [office, ...others] = machines
    assert.ok(office)
    await world.until(
      'answers',
      () => machines.every(({ node }) => node.revocations.status.isCurrent),
      MINUTE_MS
    )
    const asked = machines.reduce((sum, { node }) => sum + node.revocations.asked, 0)
    assert.ok(asked <= 12 * 7, `${asked} questions`)
    const member = await addMember(world)
    const revocation = await revoke(world, member.grant)
    // No broadcast: only those that ask can learn it.
    await world.settle(office.node.revocations.registry.addByHand([{ revocation }], 'test'))
    await world.until(
      'everybody',
      () => others.every(machine => revokedAt(machine).length === 1),
      60 * MINUTE_MS
    )
  })
})

describe('a hostile member', () => {
  it('cannot revoke what it did not issue, nor pass a revocation off as another', async () => {
    await using world = await World.create()
    const one = await world.addMachine()
    const [victim, liar] = [await addMember(world), await addMember(world)]
    const own = good(await liar.context.revoke({ ...victim.grant, issuer: liar.did }))
    const forged = [
      { ...own, issuer: victim.grant.issuer },
      own,
      { ...(await revoke(world, victim.grant)), nonce: Uint8Array.of(1) },
      { ...(await revoke(world, victim.grant)), subject: liar.did },
      victim.grant
    ]
    for (const revocation of forged) {
      const offer = { Token: list(revocation), Proof: list(victim.grant) }
      const sent = await ask(world, liar, one, '/broadcast/cap/revoke', offer)
      assert.equal(sent.answer?.['OK'], false)
    }
    assert.deepEqual(revokedAt(one), [])
    assert.equal((await ask(world, victim, one, HELLO)).code, 'ok')
  })

  it('fills its own share and no more, and keeps no honest revocation out', async () => {
    await using world = await World.create()
    const one = await world.addMachine()
    const [victim, liar] = [await addMember(world), await addMember(world)]
    const { registry } = one.node.revocations
    for (let batch = 0; batch < 11; batch++) {
      const offers = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const given = await liar.delegate(victim.did, `/public/${batch}/${index}`)
          return { revocation: good(await liar.context.revoke(given)), proof: given }
        })
      )
      const report = await world.settle(registry.offer(offers, 'liar'))
      assert.equal(report.added, batch < 10 ? 50 : 0)
      if (batch === 10) assert.equal(report.refused[0]?.code, 'REVOCATION_NO_ROOM')
    }
    assert.equal(one.node.revocations.status.turnedAway, 50)
    assert.equal(one.node.revocations.status.count, 500)
    const honest = await revoke(world, victim.grant)
    assert.equal((await world.settle(registry.offer([{ revocation: honest }], 'office'))).added, 1)
    assert.equal((await ask(world, victim, one, HELLO)).code, 'ACTOR_REFUSED')
  })

  it('that is asked may keep back, but what it makes up or repeats without end does no harm', async () => {
    await using world = await World.create()
    const one = await world.addMachine()
    const member = await addMember(world)
    const liar = await addMember(world)
    const own = good(await liar.context.revoke({ ...member.grant, issuer: liar.did }))
    let asked = 0
    liar.actor.addBehavior({
      path: '/public/cap/revocations',
      request: z.unknown(),
      handle: () => {
        asked++
        return { OK: true, Error: '', Revoke: list(own), Proof: {}, Next: 'f'.repeat(64), Digest: '' }
      }
    })
    await world.until('questions', () => asked >= 2, 2 * MINUTE_MS)
    await world.pass(2 * MINUTE_MS)
    assert.ok(asked < 20, `it was asked ${asked} times`)
    assert.deepEqual(revokedAt(one), [])
    assert.equal(one.node.revocations.status.isCurrent, false, 'pages without end are no answer')
  })
})

describe('a peer whose pages do not end', () => {
  it('is left after a while, and asked to go on there the next time', async () => {
    await using world = await World.create()
    const one = await world.addMachine()
    const member = await addMember(world)
    const after: string[] = []
    member.actor.addBehavior({
      path: '/public/cap/revocations',
      request: z.object({ After: z.string() }),
      handle: ({ payload }) => {
        after.push(payload.After)
        const Next = after.length.toString(16).padStart(64, '0')
        return { OK: true, Error: '', Revoke: {}, Proof: {}, Next, Digest: '' }
      }
    })
    await world.until('the first pages', () => after.length >= 64, MINUTE_MS)
    assert.equal(after[0], '')
    await world.until('more pages', () => after.length > 64, 10 * MINUTE_MS)
    assert.equal(after[64], (64).toString(16).padStart(64, '0'))
    assert.equal(one.node.revocations.status.isCurrent, false)
  })
})

describe('the age of what a node knows', () => {
  it('is none while a peer answers, grows when it is alone, and survives a restart', async () => {
    await using world = await World.create()
    const [one, two] = [await world.addMachine(), await world.addMachine()]
    const status = async (): Promise<Answer> =>
      (await ask(world, one, one, '/dms/cap/revocation/status')).answer ?? {}
    await world.until('an answer', () => one.node.revocations.status.isCurrent, MINUTE_MS)
    assert.deepEqual([(await status())['Current'], (await status())['AgeSeconds']], [true, 0])
    await world.settle(two.stop())
    const leftAtMs = world.clock.nowMs()
    await world.clock.advance(3 * 3_600_000)
    const alone = await status()
    assert.equal(alone['Current'], false)
    assert.ok(Math.abs(Number(alone['AgeSeconds']) - 3 * 3600) < 5)
    assert.ok(Math.abs(Date.parse(String(alone['KnownAsOf'])) - leftAtMs) < 5000)
    await world.settle(one.kill())
    await world.restart(one)
    const again = await status()
    assert.deepEqual([again['Current'], again['KnownAsOf']], [false, alone['KnownAsOf']])
    const listed = await ask(world, one, one, '/dms/cap/list')
    assert.equal(Object(listed.answer?.['Knowledge'])['KnownAsOf'], alone['KnownAsOf'])
  })

  it('is never said to be known where no peer ever answered', async () => {
    await using world = await World.create()
    const [one] = [await world.addMachine(), await world.addMachine({ stranger: true, onboard: false })]
    await world.pass(MINUTE_MS)
    assert.deepEqual((await ask(world, one, one, '/dms/cap/revocation/status')).answer, {
      OK: true,
      Error: '',
      Current: false,
      Count: 0,
      TurnedAway: 0
    })
  })

  it('is warned about once it is a day', async () => {
    await using world = await World.create()
    const [one, two] = [await world.addMachine(), await world.addMachine()]
    await world.until('an answer', () => one.node.revocations.status.isCurrent, MINUTE_MS)
    await world.settle(two.stop())
    const warnings = (): number =>
      one.log.entries.filter(({ level, fields }) => level === 'warn' && 'knownAsOf' in fields).length
    await world.clock.advance(23 * 3_600_000)
    assert.equal(warnings(), 0)
    await world.clock.advance(2 * 3_600_000)
    assert.equal(warnings(), 1)
  })
})

describe('a provider', () => {
  it('takes the grants of a revoked orchestrator back, and does not give them again after a restart', async () => {
    await using world = await World.create()
    const user = await world.addMachine({ onboard: false })
    const provider = await world.addMachine()
    const id = await deploy(world, user, ensembleOf({ one: SERVICE }))
    await untilStatus(world, user, id, 'Running')
    const granted = (): number =>
      provider.context.anchors.require.filter(token => token.subject === user.did).length
    assert.ok(granted() > 0)
    const [given] = user.context.anchors.provide
    assert.ok(given)
    const revocation = await revoke(world, given)
    await world.settle(provider.node.revocations.registry.offer([{ revocation }], 'test'))
    assert.equal(granted(), 0)
    await world.settle(provider.kill())
    await world.restart(provider)
    await world.pass(5000)
    assert.equal(granted(), 0)
  })
})
