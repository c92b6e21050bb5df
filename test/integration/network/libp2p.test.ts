/** The libp2p host on loopback: discovery, hostile peers, failures, and a clean end. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { generateKey, peerIdOf } from '../../../src/lib/crypto/index.ts'
import type { Network } from '../../../src/network/index.ts'
import { encodeFrame } from '../../../src/network/libp2p/frame.ts'
import { createHost, type Host } from '../../../src/network/libp2p/host.ts'
import { createLibp2pNetwork, type Libp2pNetworkOptions } from '../../../src/network/libp2p/index.ts'
import type { PeerId } from '../../../src/types/index.ts'
import { bytesToUtf8, deadline, systemClock, systemRandom, utf8ToBytes } from '../../../src/utils/index.ts'
import { MemoryLog } from '../../unit/network/helpers.ts'

const PROTOCOL = 'actor/root/messages/0.0.1'
const LOOPBACK = '/ip4/127.0.0.1/tcp/0'

const open: { stop(): Promise<void> | void }[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map(network => network.stop()))
})

async function create(options: Partial<Libp2pNetworkOptions> = {}, log = new MemoryLog()): Promise<Network> {
  const network = createLibp2pNetwork(
    { clock: systemClock, random: systemRandom, log, privateKey: generateKey(systemRandom) },
    { listenAddresses: [LOOPBACK], ...options }
  )
  open.push(network)
  await network.start()
  return network
}

/** A bare libp2p host that does what it likes. */
async function createAttacker(): Promise<Host> {
  const host = await createHost({
    privateKey: generateKey(systemRandom),
    listenAddresses: [],
    appScore: () => 0
  })
  open.push(host)
  await host.start()
  return host
}

function addressOf(network: Network): string {
  return `${network.addresses()[0]}/p2p/${network.peerId}`
}

/** Looks again at each event of any of the networks. */
async function until(networks: Network[], isTrue: () => boolean, what: string): Promise<void> {
  if (isTrue()) return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = systemClock.setTimer(15_000, () => reject(new Error(`timed out: ${what}`)), {
    keepAlive: true
  })
  const leaves = networks.map(network => network.onEvent(() => isTrue() && resolve()))
  await promise.finally(() => {
    timer.cancel()
    for (const leave of leaves) leave()
  })
}

async function closed(stream: Stream): Promise<void> {
  if (stream.status === 'open' || stream.status === 'closing') await once(stream as never, 'close') // an EventTarget
}

describe('libp2p hosts on one private network', () => {
  it('find each other through a bootstrap peer, so that broadcasts reach all', async () => {
    const bob = await create()
    const bootstrapPeers = [addressOf(bob)]
    const [alice, carol] = await Promise.all([create({ bootstrapPeers }), create({ bootstrapPeers })])
    await until(
      [alice, carol],
      () => alice.isConnected(carol.peerId) && carol.isConnected(alice.peerId),
      'meeting'
    )
    assert.ok(alice.routingTable().includes(bob.peerId))
    const { promise, resolve } = Promise.withResolvers<string>()
    carol.subscribe('/nunet/deployment', { handle: payload => resolve(bytesToUtf8(payload)) })
    await until([alice], () => alice.subscribers('/nunet/deployment').length === 1, 'alice learns of carol')
    await alice.publish('/nunet/deployment', utf8ToBytes('bid request'))
    assert.equal(await promise, 'bid request')
  })

  it('connect to a peer known by id only, through the DHT, and send to it', async () => {
    const bob = await create()
    const carol = await create({ bootstrapPeers: [addressOf(bob)] })
    await until([bob], () => bob.isConnected(carol.peerId), 'carol joins')
    const { promise, resolve } = Promise.withResolvers<PeerId>()
    carol.handleMessages(PROTOCOL, (_payload, from) => resolve(from))
    const alice = await create()
    await alice.connect(addressOf(bob))
    await alice.send(carol.peerId, PROTOCOL, utf8ToBytes('hello'))
    assert.equal(await promise, alice.peerId)
  })

  it('find a peer again that came back on another port', async () => {
    const key = generateKey(systemRandom)
    const bob = await create()
    const bootstrapPeers = [addressOf(bob)]
    const alice = await create({ bootstrapPeers })
    const restart = (): Network => {
      const network = createLibp2pNetwork(
        { clock: systemClock, random: systemRandom, log: new MemoryLog(), privateKey: key },
        { listenAddresses: [LOOPBACK], bootstrapPeers }
      )
      open.push(network)
      return network
    }
    const first = restart()
    await first.start()
    await until([alice], () => alice.isConnected(first.peerId), 'carol is found')
    await first.stop()
    await until([alice], () => !alice.isConnected(first.peerId), 'carol is gone')
    const second = restart()
    await second.start()
    await until([alice], () => alice.isConnected(second.peerId), 'carol is found again')
  })

  it('start without waiting for bootstrap peers, and log that none answered', async () => {
    const log = new MemoryLog()
    const dead = `/ip4/127.0.0.1/tcp/1/p2p/${peerIdOf(generateKey(systemRandom).publicKey)}`
    const startMs = systemClock.monotonicMs()
    await create({ bootstrapPeers: [dead, 'nonsense'] }, log)
    assert.ok(systemClock.monotonicMs() - startMs < 2_000)
    for (let round = 0; round < 100 && log.lines.length < 2; round++) await systemClock.sleep(50)
    assert.deepEqual(
      log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message),
      ['bootstrap peer skipped', 'no bootstrap peer answered']
    )
  })
})

describe('a libp2p host', () => {
  it('says which address is in use and what to do', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const listen = `/ip4/127.0.0.1/tcp/${address.port}`
    await assert.rejects(
      create({ listenAddresses: [listen] }),
      (error: Error & { code?: string; hint?: string }) => {
        assert.equal(error.code, 'NETWORK_LISTEN_FAILED')
        assert.ok(error.message.includes(listen), error.message)
        assert.ok(!error.message.includes('\n'))
        assert.match(error.hint ?? '', /p2p\.listen_address/)
        return true
      }
    )
    server.close()
  })

  it('skips QUIC addresses with a warning and refuses what is no address', async () => {
    const log = new MemoryLog()
    const network = await create({ listenAddresses: [LOOPBACK, '/ip4/0.0.0.0/udp/9000/quic-v1'] }, log)
    assert.equal(network.addresses().length, 1)
    assert.equal(log.lines[0]?.level, 'warn')
    for (const address of ['9000', '/ip4/127.0.0.1', '/tcp/1', '/dns4/example.org/tcp/1/http']) {
      await assert.rejects(
        create({ listenAddresses: [address] }),
        { code: 'NETWORK_ADDRESS_INVALID' },
        address
      )
    }
  })

  it('gives up on a peer that does not answer within about 5 s, or at once with the signal', async () => {
    const sockets: { destroy(): void }[] = []
    const mute = createServer(socket => sockets.push(socket)).listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const address = mute.address()
    assert.ok(typeof address === 'object' && address !== null)
    const alice = await create()
    const stranger = `/ip4/127.0.0.1/tcp/${address.port}/p2p/${peerIdOf(generateKey(systemRandom).publicKey)}`
    using limit = deadline(systemClock, 200, 'the test', undefined)
    const startMs = systemClock.monotonicMs()
    await assert.rejects(alice.connect(stranger, { signal: limit.signal }), { code: 'TIME_LIMIT' })
    assert.ok(systemClock.monotonicMs() - startMs < 1_000)
    await assert.rejects(alice.connect(stranger), { code: 'NETWORK_UNREACHABLE' })
    assert.ok(systemClock.monotonicMs() - startMs < 7_000)
    for (const socket of sockets) socket.destroy()
    mute.close()
  })

  it('sends in milliseconds over an open connection', async () => {
    const [alice, bob] = await Promise.all([create(), create()])
    let count = 0
    bob.handleMessages(PROTOCOL, () => count++)
    await alice.connect(addressOf(bob))
    for (let index = 0; index < 20; index++) await alice.send(bob.peerId, PROTOCOL, utf8ToBytes('warm'))
    const startMs = systemClock.monotonicMs()
    for (let index = 0; index < 50; index++) await alice.send(bob.peerId, PROTOCOL, utf8ToBytes('x'))
    assert.ok((systemClock.monotonicMs() - startMs) / 50 < 50)
  })

  it('lets the process end soon after its stop', async () => {
    const script = fileURLToPath(new URL('./stop-and-exit.ts', import.meta.url))
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', data => {
      output += String(data)
    })
    const [code] = await once(child, 'exit')
    assert.equal(code, 0)
    const ms = Number(/exit after (\d+) ms/.exec(output)?.[1])
    assert.ok(ms < 700, `the process lived on for ${ms} ms`)
  })
})

describe('a libp2p host among hostile peers', () => {
  async function setUp(): Promise<{ bob: Network; attack: () => Promise<Stream>; texts: string[] }> {
    const bob = await create()
    const texts: string[] = []
    bob.handleMessages(PROTOCOL, payload => texts.push(bytesToUtf8(payload)))
    const attacker = await createAttacker()
    const connection = await attacker.dial(multiaddr(addressOf(bob)))
    return { bob, texts, attack: () => connection.newStream(PROTOCOL, { maxOutboundStreams: 10_000 }) }
  }

  /** An honest peer still gets through. */
  async function assertServes(bob: Network, texts: string[]): Promise<void> {
    const alice = await create()
    await alice.connect(addressOf(bob))
    await alice.send(bob.peerId, PROTOCOL, utf8ToBytes('honest'))
    for (let round = 0; round < 100 && !texts.includes('honest'); round++) await systemClock.sleep(20)
    assert.deepEqual(texts, ['honest'])
  }

  it('resets a stream that lies about its length', async () => {
    const { bob, texts, attack } = await setUp()
    const stream = await attack()
    stream.send(new Uint8Array(8).fill(0xff))
    await closed(stream)
    assert.equal(stream.status, 'reset')
    await assertServes(bob, texts)
  })

  it('resets a stream that sends more than it announced', async () => {
    const { bob, texts, attack } = await setUp()
    const stream = await attack()
    stream.send(new Uint8Array([...encodeFrame(utf8ToBytes('hello')), 1, 2, 3]))
    await closed(stream)
    assert.equal(stream.status, 'reset')
    await assertServes(bob, texts)
  })

  it('drops a message that is cut short', async () => {
    const { bob, texts, attack } = await setUp()
    const stream = await attack()
    stream.send(encodeFrame(utf8ToBytes('hello')).subarray(0, 10))
    await stream.close()
    await closed(stream)
    await assertServes(bob, texts)
  })

  it('takes a message in tiny pieces', async () => {
    const { texts, attack } = await setUp()
    const stream = await attack()
    for (const byte of encodeFrame(utf8ToBytes('drip'))) stream.send(new Uint8Array([byte]))
    await stream.close()
    await closed(stream)
    assert.deepEqual(texts, ['drip'])
  })

  it('bounds the streams of one peer and still serves others', async () => {
    const { bob, texts, attack } = await setUp()
    const results = await Promise.allSettled(Array.from({ length: 300 }, attack))
    const streams = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    for (const stream of streams) {
      if (stream.status === 'open') stream.send(new Uint8Array([8, 0, 0, 0, 0, 0, 0, 0]))
    }
    for (let round = 0; round < 100; round++) {
      if (streams.filter(({ status }) => status === 'open').length <= 128) break
      await systemClock.sleep(20)
    }
    assert.ok(streams.filter(({ status }) => status === 'open').length <= 128)
    await assertServes(bob, texts)
  })

  it('sends on to a peer that never closes its side, and to others', async () => {
    const attacker = await createAttacker()
    const held: Stream[] = []
    await attacker.handle(PROTOCOL, stream => void held.push(stream), { maxInboundStreams: 1_000 })
    const alice = await create()
    const [bob, texts] = [await create(), [] as string[]]
    bob.handleMessages(PROTOCOL, payload => texts.push(bytesToUtf8(payload)))
    const peer = attacker.peerId.toString() as PeerId // made by the library from a key
    await attacker.dial(multiaddr(addressOf(alice)))
    await until([alice], () => alice.isConnected(peer), 'the attacker connects')
    using limit = deadline(systemClock, 1_000, 'the test', undefined)
    const sends = Array.from({ length: 100 }, () =>
      alice.send(peer, PROTOCOL, utf8ToBytes('x'), { signal: limit.signal })
    )
    const done = Promise.allSettled(sends)
    await alice.connect(addressOf(bob))
    await alice.send(bob.peerId, PROTOCOL, utf8ToBytes('honest'))
    const results = await done
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 64)
    assert.ok(held.length <= 64)
    for (let round = 0; round < 100 && texts.length === 0; round++) await systemClock.sleep(20)
    assert.deepEqual(texts, ['honest'])
  })
})
