import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateKey } from '../../../src/lib/crypto/index.ts'
import { createMemoryNetworkHub, type MemoryHubOptions, type Network } from '../../../src/network/index.ts'
import { bytesToUtf8, SeededRandom, utf8ToBytes, VirtualClock } from '../../../src/utils/index.ts'

async function simulate(count: number, options?: MemoryHubOptions, seed = 'hub') {
  const clock = new VirtualClock()
  const random = new SeededRandom(seed)
  const hub = createMemoryNetworkHub({ clock, random }, options)
  const networks: Network[] = []
  for (let index = 0; index < count; index++) networks.push(hub.createNetwork(generateKey(random)))
  await Promise.all(networks.map(network => network.start()))
  return { clock, hub, networks, at: (index: number) => networks[index] ?? assert.fail('no such host') }
}

describe('the hub of the in-process network', () => {
  it('connects all hosts at their start', async () => {
    const { networks, at } = await simulate(5)
    for (const network of networks) assert.equal(network.routingTable().length, 4)
    assert.deepEqual(
      (await at(0).peers()).map(({ connected }) => connected),
      [true, true, true, true]
    )
  })

  it('connects nobody with discovery none', async () => {
    const { networks } = await simulate(3, { discovery: 'none' })
    for (const network of networks) assert.deepEqual(network.routingTable(), [])
  })

  it('delivers within the turn without latency', async () => {
    const { at } = await simulate(2)
    const texts: string[] = []
    at(1).handleMessages('p', payload => texts.push(bytesToUtf8(payload)))
    await at(0).send(at(1).peerId, 'p', utf8ToBytes('x'))
    await Promise.resolve()
    assert.deepEqual(texts, ['x'])
  })

  it('takes a round trip to agree and one way to deliver', async () => {
    const { clock, hub, at } = await simulate(2)
    hub.setLatency(10)
    const times: number[] = []
    const startMs = clock.nowMs()
    at(1).handleMessages('p', () => times.push(clock.nowMs() - startMs))
    const sent = at(0)
      .send(at(1).peerId, 'p', utf8ToBytes('x'))
      .then(() => times.push(clock.nowMs() - startMs))
    await clock.advance(100)
    await sent
    assert.deepEqual(times, [20, 30])
  })

  it('measures pings in its own time', async () => {
    const { clock, hub, at } = await simulate(2)
    hub.setLatency(40)
    const ping = at(0).ping(at(1).peerId)
    await clock.advance(80)
    assert.equal(await ping, 80)
  })

  it('loses about the share of messages it is told to lose, and tells nobody', async () => {
    const { hub, at } = await simulate(2)
    hub.dropRate = 0.3
    let count = 0
    at(1).handleMessages('p', () => count++)
    for (let index = 0; index < 1_000; index++) await at(0).send(at(1).peerId, 'p', new Uint8Array(1))
    assert.ok(count > 600 && count < 800, `${count} of 1000 came`)
    hub.dropRate = 7
    assert.equal(hub.dropRate, 1)
    await at(0).send(at(1).peerId, 'p', new Uint8Array(1))
    assert.ok(count < 800)
  })

  it('runs the same way for the same seed', async () => {
    const run = async (seed: string): Promise<string[]> => {
      const { clock, hub, networks, at } = await simulate(6, {}, 'same keys')
      const random = new SeededRandom(seed)
      const log: string[] = []
      const other = createMemoryNetworkHub({ clock, random })
      assert.ok(other)
      hub.setLatency(1, 50)
      networks.forEach((network, index) => {
        network.subscribe('t', {
          handle: payload => log.push(`${clock.nowMs()} ${index} ${bytesToUtf8(payload)}`)
        })
      })
      await clock.advance(100)
      for (let index = 0; index < 6; index++) await at(index).publish('t', utf8ToBytes(String(index)))
      await clock.advance(100)
      return log
    }
    const first = await run('a')
    assert.equal(first.length, 36)
    assert.deepEqual(await run('a'), first)
  })

  it('lets a partition cut the line, lose what is on the way, and heal', async () => {
    const { clock, hub, at } = await simulate(2)
    hub.setLatency(10)
    const events: string[] = []
    at(0).onEvent(({ type }) => events.push(type))
    let count = 0
    at(1).handleMessages('p', () => count++)
    const sent = at(0).send(at(1).peerId, 'p', new Uint8Array(1))
    await clock.advance(25)
    await sent
    hub.partition(at(0).peerId, at(1).peerId)
    await clock.advance(100)
    assert.equal(count, 0)
    assert.equal(at(0).isConnected(at(1).peerId), false)
    assert.equal(at(1).isConnected(at(0).peerId), false)
    const refused = assert.rejects(at(0).send(at(1).peerId, 'p', new Uint8Array(1)), {
      code: 'NETWORK_UNREACHABLE'
    })
    await clock.advance(20)
    await refused
    hub.heal(at(0).peerId, at(1).peerId)
    assert.equal(at(1).isConnected(at(0).peerId), true)
    const again = at(0).send(at(1).peerId, 'p', new Uint8Array(1))
    await clock.advance(30)
    await again
    assert.equal(count, 1)
    assert.deepEqual(events, ['peer-disconnected', 'peer-connected'])
  })

  it('breaks off a send whose line is cut while it agrees', async () => {
    const { clock, hub, at } = await simulate(2)
    hub.setLatency(10)
    at(1).handleMessages('p', () => undefined)
    const refused = assert.rejects(at(0).send(at(1).peerId, 'p', new Uint8Array(1)), {
      code: 'NETWORK_UNREACHABLE'
    })
    hub.partition(at(0).peerId, at(1).peerId)
    await clock.advance(20)
    await refused
  })

  it('lets a dial through a partition hang for as long as it is told, and the signal end it', async () => {
    const { clock, hub, at } = await simulate(2)
    hub.partition(at(0).peerId, at(1).peerId)
    hub.dialLimitMs = 5_000
    let isDone = false
    const refused = assert
      .rejects(at(0).connect(`/p2p/${at(1).peerId}`), { code: 'NETWORK_UNREACHABLE' })
      .finally(() => (isDone = true))
    const controller = new AbortController()
    const stopped = assert.rejects(at(0).ping(at(1).peerId, controller), new Error('enough'))
    await clock.advance(4_900)
    assert.equal(isDone, false)
    controller.abort(new Error('enough'))
    await stopped
    await clock.advance(200)
    await refused
  })

  it('lets broadcasts go around a missing line through other subscribers only', async () => {
    const { hub, at } = await simulate(3)
    const seen: number[] = []
    const registrations = [0, 1, 2].map(index => at(index).subscribe('t', { handle: () => seen.push(index) }))
    hub.partition(at(0).peerId, at(2).peerId)
    await Promise.resolve()
    await at(0).publish('t', new Uint8Array(1))
    await new Promise(setImmediate)
    assert.deepEqual(seen.sort(), [0, 1, 2])
    registrations[1]?.unregister()
    await at(0).publish('t', new Uint8Array(1))
    await new Promise(setImmediate)
    assert.deepEqual(seen.sort(), [0, 0, 1, 2])
  })

  it('ends everything under way with a stop, and leaves no timer', async () => {
    const { clock, hub, networks, at } = await simulate(3)
    hub.setLatency(1_000)
    at(1).handleMessages('p', () => assert.fail('delivered after the stop'))
    const refused = assert.rejects(at(0).send(at(1).peerId, 'p', new Uint8Array(1)), {
      code: 'NETWORK_NOT_RUNNING'
    })
    await clock.advance(10)
    await Promise.all(networks.map(network => network.stop()))
    await refused
    assert.equal(clock.pendingTimers, 0)
    await clock.advance(5_000)
  })

  it('refuses the send one too many', async () => {
    const { clock, hub, at } = await simulate(2)
    hub.setLatency(1_000)
    at(1).handleMessages('p', () => undefined)
    const sends = Array.from({ length: 4096 }, () => at(0).send(at(1).peerId, 'p', new Uint8Array(1)))
    await assert.rejects(at(0).send(at(1).peerId, 'p', new Uint8Array(1)), { code: 'CAPACITY_EXCEEDED' })
    await clock.advance(2_000)
    await Promise.all(sends)
    const large = Array.from({ length: 64 }, () => at(0).send(at(1).peerId, 'p', new Uint8Array(1_048_000)))
    await assert.rejects(at(0).send(at(1).peerId, 'p', new Uint8Array(1_048_000)), {
      code: 'CAPACITY_EXCEEDED'
    })
    await clock.advance(2_000)
    await Promise.all(large)
  })

  it('carries a broadcast to two hundred hosts in one hop of time', async () => {
    const { clock, hub, networks, at } = await simulate(200)
    hub.setLatency(5, 20)
    let count = 0
    for (const network of networks) network.subscribe('t', { handle: () => count++ })
    await clock.advance(50)
    assert.equal(at(0).subscribers('t').length, 199)
    await at(0).publish('t', new Uint8Array(100))
    await clock.advance(20)
    assert.equal(count, 200)
  })
})
