import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { generateKey, peerIdOf } from '../../../src/lib/crypto/index.ts'
import { encodeFrame } from '../../../src/network/libp2p/frame.ts'
import { type InboundStream, InboundStreams } from '../../../src/network/libp2p/inbound.ts'
import type { PeerId } from '../../../src/types/index.ts'
import { bytesToUtf8, SeededRandom, utf8ToBytes, VirtualClock } from '../../../src/utils/index.ts'
import { silentLog } from './helpers.ts'

class MessageEvent extends Event {
  readonly data: Uint8Array

  constructor(data: Uint8Array) {
    super('message')
    this.data = data
  }
}

/** The reading half of a libp2p stream, as far as inbound messages use it. */
class FakeStream extends EventTarget {
  status: 'open' | 'closing' | 'closed' | 'aborted' = 'open'
  readableEnded = false
  isOurSideClosed = false
  abortedWith: Error | undefined
  readonly #listeners = new Set<unknown>()

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.#listeners.add(args[1])
    super.addEventListener(...args)
  }

  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    this.#listeners.delete(args[1])
    super.removeEventListener(...args)
  }

  get listenerCount(): number {
    return this.#listeners.size
  }

  async close(): Promise<void> {
    this.isOurSideClosed = true
  }

  abort(error: Error): void {
    this.abortedWith = error
    this.status = 'aborted'
    this.dispatchEvent(new Event('close'))
  }

  receive(bytes: Uint8Array): void {
    this.dispatchEvent(new MessageEvent(bytes))
  }

  end(): void {
    this.readableEnded = true
    this.dispatchEvent(new Event('end'))
    if (!this.isOurSideClosed) return
    this.status = 'closed'
    this.dispatchEvent(new Event('close'))
  }
}

const LIMITS = { streamsPerPeer: 3, streams: 5, bytesPerPeer: 1_000, bytes: 1_500 }
const random = new SeededRandom('inbound')
const [alice, bob] = [peerIdOf(generateKey(random).publicKey), peerIdOf(generateKey(random).publicKey)]

describe('inbound message streams', () => {
  let clock: VirtualClock
  let received: [string, string, PeerId][]
  let inbound: InboundStreams

  beforeEach(() => {
    clock = new VirtualClock()
    received = []
    inbound = new InboundStreams(
      {
        clock,
        log: silentLog,
        deliver: (protocol, payload, from) => received.push([protocol, bytesToUtf8(payload), from])
      },
      LIMITS
    )
  })

  function accept(from: PeerId = alice): FakeStream {
    const stream = new FakeStream()
    // The fake has the members that reading uses; its event types are those of the platform.
    inbound.accept('p', stream as unknown as InboundStream, from)
    return stream
  }

  function assertGone(...streams: FakeStream[]): void {
    for (const stream of streams) assert.equal(stream.listenerCount, 0)
    assert.equal(clock.pendingTimers, 0)
    assert.equal(inbound.budget.peerCount, 0)
  }

  it('delivers the message when it is whole and closes its own side', () => {
    const stream = accept()
    const frame = encodeFrame(utf8ToBytes('hello'))
    stream.receive(frame.subarray(0, 10))
    assert.deepEqual(received, [])
    stream.receive(frame.subarray(10))
    assert.deepEqual(received, [['p', 'hello', alice]])
    assert.ok(stream.isOurSideClosed)
    stream.end()
    assertGone(stream)
  })

  it('resets a stream that claims too much, and delivers nothing', () => {
    const stream = accept()
    stream.receive(new Uint8Array(8).fill(0xff))
    assert.match(stream.abortedWith?.message ?? '', /at most 1048576/)
    assert.deepEqual(received, [])
    assertGone(stream)
  })

  it('resets a stream that sends more than it claimed, and delivers nothing', () => {
    const stream = accept()
    stream.receive(new Uint8Array([...encodeFrame(utf8ToBytes('hello')), 1]))
    assert.ok(stream.abortedWith)
    assert.deepEqual(received, [])
    assertGone(stream)
  })

  it('resets a stream that goes on after its message', () => {
    const stream = accept()
    stream.receive(encodeFrame(utf8ToBytes('hello')))
    stream.receive(new Uint8Array(1))
    assert.ok(stream.abortedWith)
    assert.equal(received.length, 1)
    assertGone(stream)
  })

  it('resets a stream that ends early', () => {
    const stream = accept()
    stream.receive(encodeFrame(utf8ToBytes('hello')).subarray(0, 12))
    stream.end()
    assert.ok(stream.abortedWith)
    assert.deepEqual(received, [])
    assertGone(stream)
  })

  it('resets a stream that had ended, or was closed, before it was looked at', () => {
    const ended = new FakeStream()
    ended.readableEnded = true
    inbound.accept('p', ended as unknown as InboundStream, alice) // see accept above
    assert.ok(ended.abortedWith)
    const closed = new FakeStream()
    closed.status = 'closed'
    inbound.accept('p', closed as unknown as InboundStream, alice) // see accept above
    assertGone(ended, closed)
  })

  it('resets a stream whose message takes longer than 30 s, however slowly it drips', async () => {
    const [silent, dripping] = [accept(), accept()]
    const frame = encodeFrame(new Uint8Array(100))
    for (let second = 0; second < 29; second++) {
      dripping.receive(frame.subarray(second, second + 1))
      await clock.advance(1_000)
    }
    assert.deepEqual([silent.status, dripping.status], ['open', 'open'])
    await clock.advance(1_000)
    assert.match(silent.abortedWith?.message ?? '', /longer than 30000 ms/)
    assert.match(dripping.abortedWith?.message ?? '', /longer than 30000 ms/)
    assertGone(silent, dripping)
  })

  it('cuts off a peer that sent its message and does not close', async () => {
    const stream = accept()
    stream.receive(encodeFrame(utf8ToBytes('hello')))
    await clock.advance(5_000)
    assert.ok(stream.abortedWith)
    assert.equal(received.length, 1)
    assertGone(stream)
  })

  it('bounds the streams of one peer and of all', () => {
    const ofAlice = [accept(), accept(), accept()]
    assert.match(accept().abortedWith?.message ?? '', /too many/)
    const ofBob = [accept(bob), accept(bob)]
    assert.match(accept(bob).abortedWith?.message ?? '', /too many/)
    ofAlice[0]?.abort(new Error('gone'))
    const next = accept(bob)
    assert.equal(next.abortedWith, undefined)
    for (const stream of [...ofAlice, ...ofBob, next]) stream.abort(new Error('gone'))
    assertGone(...ofAlice, ...ofBob, next)
  })

  it('bounds the bytes that wait, of one peer and of all', () => {
    const frame = encodeFrame(new Uint8Array(2_000))
    const [first, second] = [accept(), accept()]
    first.receive(frame.subarray(0, 600))
    second.receive(frame.subarray(0, 600))
    assert.match(second.abortedWith?.message ?? '', /too many bytes/)
    const [third, fourth] = [accept(bob), accept(bob)]
    third.receive(frame.subarray(0, 800))
    fourth.receive(frame.subarray(0, 150))
    assert.match(fourth.abortedWith?.message ?? '', /too many bytes/)
    first.abort(new Error('gone'))
    const fifth = accept(alice)
    fifth.receive(frame.subarray(0, 650))
    assert.equal(fifth.abortedWith, undefined)
    for (const stream of [third, fifth]) stream.abort(new Error('gone'))
    assertGone(first, second, third, fourth, fifth)
  })

  it('gives bytes back when a message is delivered', () => {
    for (let round = 0; round < 10; round++) {
      const stream = accept()
      stream.receive(encodeFrame(new Uint8Array(900)))
      assert.equal(stream.abortedWith, undefined)
      stream.end()
    }
    assert.equal(received.length, 10)
    assert.equal(inbound.budget.peerCount, 0)
  })
})
