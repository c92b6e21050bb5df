/** What every implementation of the network contract must do. Real time, no fixed ports. */

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Network, NetworkEvent } from '../../src/network/index.ts'
import type { PeerId } from '../../src/types/index.ts'
import { bytesToUtf8, systemClock, utf8ToBytes } from '../../src/utils/index.ts'

export interface NetworkHarness {
  /** A new host, started, connected to nobody and finding nobody by itself. */
  create(): Promise<Network>
  /** A host that was never started. */
  createStopped(): Network
  /** A peer id that nobody has. */
  strangerId(): PeerId
}

const PROTOCOL = 'test/root/messages/0.0.1'
const LIMIT_MS = 10_000

interface Received {
  text: string
  from: PeerId
}

/** Collects what a handler gets, and waits for it. */
class Inbox {
  readonly received: Received[] = []
  readonly #waiting: (() => void)[] = []

  readonly handle = (payload: Uint8Array, from: PeerId): void => {
    this.received.push({ text: bytesToUtf8(payload), from })
    for (const wake of this.#waiting.splice(0)) wake()
  }

  async atLeast(count: number): Promise<Received[]> {
    const endMs = systemClock.monotonicMs() + LIMIT_MS
    while (this.received.length < count) {
      const left = endMs - systemClock.monotonicMs()
      assert.ok(left > 0, `only ${this.received.length} of ${count} messages came`)
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push(resolve)
      const timer = systemClock.setTimer(left, resolve, { keepAlive: true })
      await promise
      timer.cancel()
    }
    return this.received
  }
}

/** Waits until `isTrue`, looking again at each event of the network. */
async function until(network: Network, isTrue: () => boolean, what: string): Promise<void> {
  if (isTrue()) return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = systemClock.setTimer(LIMIT_MS, () => reject(new Error(`timed out: ${what}`)), {
    keepAlive: true
  })
  const leave = network.onEvent(() => {
    if (isTrue()) resolve()
  })
  try {
    await promise
  } finally {
    timer.cancel()
    leave()
  }
}

function addressOf(network: Network): string {
  const address = network.addresses()[0]
  assert.ok(address, 'the host has an address')
  return `${address}/p2p/${network.peerId}`
}

export function describeNetwork(name: string, harness: NetworkHarness): void {
  describe(`${name} keeps the network contract`, () => {
    const started: Network[] = []
    let alice: Network
    let bob: Network

    async function create(): Promise<Network> {
      const network = await harness.create()
      started.push(network)
      return network
    }

    beforeEach(async () => {
      ;[alice, bob] = await Promise.all([create(), create()])
    })

    afterEach(async () => {
      await Promise.all(started.splice(0).map(network => network.stop()))
    })

    describe('connections', () => {
      it('connects by address, tells both sides and lists the peer', async () => {
        const events: NetworkEvent[] = []
        alice.onEvent(event => events.push(event))
        assert.equal(alice.isConnected(bob.peerId), false)
        assert.equal(alice.remoteIp(bob.peerId), undefined)
        assert.equal(await alice.connect(addressOf(bob)), bob.peerId)
        assert.equal(alice.remoteIp(bob.peerId), '127.0.0.1')
        await until(bob, () => bob.isConnected(alice.peerId), 'bob sees alice')
        await until(alice, () => events.some(({ type }) => type === 'peer-connected'), 'the event came')
        assert.equal(alice.isConnected(bob.peerId), true)
        const entry = (await alice.peers()).find(({ peer }) => peer === bob.peerId)
        assert.equal(entry?.connected, true)
        assert.ok(entry.addresses.length > 0)
        assert.ok(entry.addresses.every(address => !address.includes('/p2p/')))
      })

      it('does not list itself among its peers', async () => {
        await alice.connect(addressOf(bob))
        assert.ok((await alice.peers()).every(({ peer }) => peer !== alice.peerId))
      })

      it('refuses what is no address of a peer', async () => {
        for (const address of ['', 'nonsense', '/ip4/127.0.0.1/tcp/1', '/p2p/', addressOf(alice)]) {
          await assert.rejects(alice.connect(address), { code: 'NETWORK_ADDRESS_INVALID' }, address)
        }
      })

      it('reports an unknown peer as unreachable', async () => {
        const stranger = harness.strangerId()
        await assert.rejects(alice.connect(`/p2p/${stranger}`), { code: 'NETWORK_UNREACHABLE' })
        await assert.rejects(alice.send(stranger, PROTOCOL, new Uint8Array(1)), {
          code: 'NETWORK_UNREACHABLE'
        })
        await assert.rejects(alice.ping(stranger), { code: 'NETWORK_UNREACHABLE' })
      })

      it('tells when a peer goes away, and forgets its subscriptions', async () => {
        await alice.connect(addressOf(bob))
        bob.subscribe('t', { handle: () => undefined })
        await until(
          alice,
          () => alice.subscribers('t').includes(bob.peerId),
          'alice learns of the subscription'
        )
        const events: NetworkEvent[] = []
        alice.onEvent(event => events.push(event))
        await bob.stop()
        await until(alice, () => !alice.isConnected(bob.peerId), 'alice sees bob go')
        assert.deepEqual(alice.subscribers('t'), [])
        assert.deepEqual(
          events.map(({ type }) => type),
          ['subscription-changed', 'peer-disconnected']
        )
      })

      it('pings a peer but not itself', async () => {
        await alice.connect(addressOf(bob))
        const ms = await alice.ping(bob.peerId)
        assert.ok(ms >= 0 && ms < 5_000)
        await assert.rejects(alice.ping(alice.peerId), { code: 'NETWORK_ADDRESS_INVALID' })
      })
    })

    describe('messages', () => {
      it('delivers a message once, whole, with the sender', async () => {
        const inbox = new Inbox()
        bob.handleMessages(PROTOCOL, inbox.handle)
        await alice.connect(addressOf(bob))
        await alice.send(bob.peerId, PROTOCOL, utf8ToBytes('hello'))
        assert.deepEqual(await inbox.atLeast(1), [{ text: 'hello', from: alice.peerId }])
      })

      it('delivers empty and largest messages, and refuses larger ones', async () => {
        const sizes: number[] = []
        const inbox = new Inbox()
        bob.handleMessages(PROTOCOL, (payload, from) => {
          sizes.push(payload.length)
          inbox.handle(new Uint8Array(), from)
        })
        await alice.connect(addressOf(bob))
        await alice.send(bob.peerId, PROTOCOL, new Uint8Array(0))
        await alice.send(bob.peerId, PROTOCOL, new Uint8Array(1_048_576 - 8))
        await inbox.atLeast(2)
        assert.deepEqual(
          sizes.sort((a, b) => a - b),
          [0, 1_048_568]
        )
        await assert.rejects(alice.send(bob.peerId, PROTOCOL, new Uint8Array(1_048_576 - 7)), {
          code: 'NETWORK_MESSAGE_TOO_LARGE'
        })
      })

      it('takes the bytes as they are at the time of the call', async () => {
        const inbox = new Inbox()
        bob.handleMessages(PROTOCOL, inbox.handle)
        alice.handleMessages(PROTOCOL, inbox.handle)
        await alice.connect(addressOf(bob))
        for (const to of [alice.peerId, bob.peerId]) {
          const payload = utf8ToBytes('before')
          const sent = alice.send(to, PROTOCOL, payload)
          payload.fill(0x58)
          await sent
        }
        assert.deepEqual(
          (await inbox.atLeast(2)).map(({ text }) => text),
          ['before', 'before']
        )
      })

      it('delivers many messages at once, in both directions', async () => {
        const [toBob, toAlice] = [new Inbox(), new Inbox()]
        bob.handleMessages(PROTOCOL, toBob.handle)
        alice.handleMessages(PROTOCOL, toAlice.handle)
        await alice.connect(addressOf(bob))
        await until(bob, () => bob.isConnected(alice.peerId), 'bob sees alice')
        await Promise.all(
          Array.from({ length: 200 }, (_, index) => [
            alice.send(bob.peerId, PROTOCOL, utf8ToBytes(`a${index}`)),
            bob.send(alice.peerId, PROTOCOL, utf8ToBytes(`b${index}`))
          ]).flat()
        )
        assert.equal(new Set((await toBob.atLeast(200)).map(({ text }) => text)).size, 200)
        assert.equal(new Set((await toAlice.atLeast(200)).map(({ text }) => text)).size, 200)
      })

      it('hands messages to itself to the local handler, after the call', async () => {
        const inbox = new Inbox()
        await assert.rejects(alice.send(alice.peerId, PROTOCOL, utf8ToBytes('me')), {
          code: 'NETWORK_PROTOCOL_UNSUPPORTED'
        })
        alice.handleMessages(PROTOCOL, inbox.handle)
        const sent = alice.send(alice.peerId, PROTOCOL, utf8ToBytes('me'))
        assert.equal(inbox.received.length, 0)
        await sent
        assert.deepEqual(await inbox.atLeast(1), [{ text: 'me', from: alice.peerId }])
      })

      it('reports a protocol nobody handles there', async () => {
        await alice.connect(addressOf(bob))
        await assert.rejects(alice.send(bob.peerId, PROTOCOL, utf8ToBytes('x')), {
          code: 'NETWORK_PROTOCOL_UNSUPPORTED'
        })
        const registration = bob.handleMessages(PROTOCOL, () => undefined)
        await alice.send(bob.peerId, PROTOCOL, utf8ToBytes('x'))
        registration.unregister()
        await assert.rejects(alice.send(bob.peerId, PROTOCOL, utf8ToBytes('x')), {
          code: 'NETWORK_PROTOCOL_UNSUPPORTED'
        })
      })

      it('has one handler per protocol, and undoing twice harms no successor', () => {
        const first = alice.handleMessages(PROTOCOL, () => undefined)
        assert.throws(() => alice.handleMessages(PROTOCOL, () => undefined), {
          code: 'NETWORK_PROTOCOL_TAKEN'
        })
        first.unregister()
        alice.handleMessages(PROTOCOL, () => undefined)
        first.unregister()
        assert.throws(() => alice.handleMessages(PROTOCOL, () => undefined), {
          code: 'NETWORK_PROTOCOL_TAKEN'
        })
      })

      it('survives a handler that throws', async () => {
        const inbox = new Inbox()
        bob.handleMessages(PROTOCOL, (payload, from) => {
          inbox.handle(payload, from)
          throw new Error('handler is broken')
        })
        await alice.connect(addressOf(bob))
        await alice.send(bob.peerId, PROTOCOL, utf8ToBytes('1'))
        await alice.send(bob.peerId, PROTOCOL, utf8ToBytes('2'))
        await inbox.atLeast(2)
      })

      it('stops a send when the signal has fired', async () => {
        await alice.connect(addressOf(bob))
        const reason = new Error('changed my mind')
        const signal = AbortSignal.abort(reason)
        await assert.rejects(alice.send(bob.peerId, PROTOCOL, utf8ToBytes('x'), { signal }), reason)
        await assert.rejects(alice.ping(bob.peerId, { signal }), reason)
        await assert.rejects(alice.connect(addressOf(bob), { signal }), reason)
      })
    })

    describe('broadcasts', () => {
      it('reach the known subscribers, once, and the own ones too', async () => {
        const carol = await create()
        const inboxes = [alice, bob, carol].map(network => {
          const inbox = new Inbox()
          network.subscribe('/t', { handle: inbox.handle })
          return inbox
        })
        await Promise.all([alice.connect(addressOf(bob)), alice.connect(addressOf(carol))])
        await until(alice, () => alice.subscribers('/t').length === 2, 'alice knows both subscribers')
        await alice.publish('/t', utf8ToBytes('bid'))
        for (const inbox of inboxes) {
          assert.deepEqual(await inbox.atLeast(1), [{ text: 'bid', from: alice.peerId }])
        }
        assert.deepEqual(alice.subscribers('/t').sort(), [bob.peerId, carol.peerId].sort())
      })

      it('reach a subscriber that was just announced, from a host that is not subscribed itself', async () => {
        const inbox = new Inbox()
        bob.subscribe('/t', { handle: inbox.handle })
        const published = new Promise<void>((resolve, reject) => {
          alice.onEvent(event => {
            if (event.type !== 'subscription-changed' || !event.subscribed) return
            assert.deepEqual(event, {
              type: 'subscription-changed',
              peer: bob.peerId,
              topic: '/t',
              subscribed: true
            })
            alice.publish('/t', utf8ToBytes('at once')).then(resolve, reject)
          })
        })
        await alice.connect(addressOf(bob))
        await published
        await inbox.atLeast(1)
      })

      it('succeed with nobody subscribed', async () => {
        await alice.publish('/nobody', utf8ToBytes('x'))
      })

      it('are refused when they are too large', async () => {
        await assert.rejects(alice.publish('/t', new Uint8Array(1_048_577)), {
          code: 'NETWORK_MESSAGE_TOO_LARGE'
        })
      })

      it('of large size arrive', async () => {
        const { promise, resolve } = Promise.withResolvers<number>()
        bob.subscribe('/t', { handle: payload => resolve(payload.length) })
        await alice.connect(addressOf(bob))
        await until(alice, () => alice.subscribers('/t').length === 1, 'alice knows the subscriber')
        await alice.publish('/t', new Uint8Array(1_000_000))
        assert.equal(await promise, 1_000_000)
      })

      it('go to several subscriptions of a topic until the last is undone', async () => {
        const [first, second] = [new Inbox(), new Inbox()]
        const registrations = [first, second].map(inbox => bob.subscribe('/t', { handle: inbox.handle }))
        await alice.connect(addressOf(bob))
        await until(alice, () => alice.subscribers('/t').length === 1, 'alice knows the subscriber')
        await alice.publish('/t', utf8ToBytes('1'))
        await Promise.all([first.atLeast(1), second.atLeast(1)])
        registrations[0]?.unregister()
        registrations[0]?.unregister()
        await alice.publish('/t', utf8ToBytes('2'))
        await second.atLeast(2)
        assert.equal(first.received.length, 1)
        registrations[1]?.unregister()
        await until(alice, () => alice.subscribers('/t').length === 0, 'alice learns that bob left')
      })

      it('are delivered only after all validators accept, and rejects cost score', async () => {
        const inbox = new Inbox()
        const validated: string[] = []
        const { promise: bad, resolve: badCame } = Promise.withResolvers<void>()
        bob.subscribe('/t', {
          validate: async (payload, from) => {
            assert.equal(from, alice.peerId)
            const text = bytesToUtf8(payload)
            validated.push(text)
            if (text === 'bad') badCame()
            return text === 'bad' ? 'reject' : text === 'odd' ? 'ignore' : 'accept'
          },
          handle: inbox.handle
        })
        bob.subscribe('/t', {
          validate: payload => {
            if (bytesToUtf8(payload) === 'crash') throw new Error('validator is broken')
            return 'accept'
          },
          handle: () => undefined
        })
        await alice.connect(addressOf(bob))
        await until(alice, () => alice.subscribers('/t').length === 1, 'alice knows the subscriber')
        for (const text of ['odd', 'crash', 'good']) await alice.publish('/t', utf8ToBytes(text))
        await inbox.atLeast(1)
        assert.equal(bob.scores()[alice.peerId]?.Score, 0)
        await alice.publish('/t', utf8ToBytes('bad'))
        await bad
        await alice.publish('/t', utf8ToBytes('better'))
        await inbox.atLeast(2)
        assert.deepEqual(
          inbox.received.map(({ text }) => text),
          ['good', 'better']
        )
        assert.ok(validated.length === new Set(validated).size, 'each message is validated once')
        assert.ok((bob.scores()[alice.peerId]?.Score ?? 0) < 0)
      })

      it('are not validated by their own publisher', async () => {
        const inbox = new Inbox()
        alice.subscribe('/t', { validate: () => 'reject', handle: inbox.handle })
        await alice.publish('/t', utf8ToBytes('mine'))
        assert.deepEqual(await inbox.atLeast(1), [{ text: 'mine', from: alice.peerId }])
      })
    })

    describe('life', () => {
      it('refuses work before the start and after the stop', async () => {
        const idle = harness.createStopped()
        assert.ok(idle.peerId.length > 0)
        await alice.stop()
        for (const network of [idle, alice]) {
          await assert.rejects(network.send(bob.peerId, PROTOCOL, new Uint8Array(1)), {
            code: 'NETWORK_NOT_RUNNING'
          })
          await assert.rejects(network.publish('/t', new Uint8Array(1)), { code: 'NETWORK_NOT_RUNNING' })
          await assert.rejects(network.connect(addressOf(bob)), { code: 'NETWORK_NOT_RUNNING' })
          await assert.rejects(network.ping(bob.peerId), { code: 'NETWORK_NOT_RUNNING' })
          assert.deepEqual(network.addresses(), [])
          assert.deepEqual(network.subscribers('/t'), [])
          assert.deepEqual(network.routingTable(), [])
          assert.deepEqual(network.scores(), {})
        }
      })

      it('keeps handlers and topics that were registered before the start', async () => {
        const late = harness.createStopped()
        started.push(late)
        const [messages, broadcasts] = [new Inbox(), new Inbox()]
        late.handleMessages(PROTOCOL, messages.handle)
        late.subscribe('/t', { handle: broadcasts.handle })
        await late.start()
        await alice.connect(addressOf(late))
        await alice.send(late.peerId, PROTOCOL, utf8ToBytes('x'))
        await messages.atLeast(1)
        await until(alice, () => alice.subscribers('/t').length === 1, 'alice knows the subscriber')
        await alice.publish('/t', utf8ToBytes('y'))
        await broadcasts.atLeast(1)
      })

      it('starts twice, stops twice, and starts again', async () => {
        await Promise.all([alice.start(), alice.start()])
        await Promise.all([alice.stop(), alice.stop()])
        await alice.start()
        await alice.connect(addressOf(bob))
        assert.equal(alice.isConnected(bob.peerId), true)
      })

      it('does not start when the signal has fired', async () => {
        const idle = harness.createStopped()
        const reason = new Error('not now')
        await assert.rejects(idle.start({ signal: AbortSignal.abort(reason) }), reason)
      })

      it('stops within a second with connections open', async () => {
        await alice.connect(addressOf(bob))
        const startMs = systemClock.monotonicMs()
        await alice.stop()
        assert.ok(systemClock.monotonicMs() - startMs < 1_000)
      })

      it('keeps telling events when a listener throws', async () => {
        const seen: string[] = []
        alice.onEvent(() => {
          throw new Error('listener is broken')
        })
        const leave = alice.onEvent(({ type }) => seen.push(type))
        await alice.connect(addressOf(bob))
        await until(alice, () => seen.includes('peer-connected'), 'the event came')
        leave()
        await bob.stop()
        await until(alice, () => !alice.isConnected(bob.peerId), 'alice sees bob go')
        assert.ok(!seen.includes('peer-disconnected'))
      })
    })
  })
}
