import assert from 'node:assert/strict'
import { createLibp2pNetwork } from '../../src/network/libp2p/index.ts'
import { nullLogger } from '../../src/observability/index.ts'
import { systemClock, systemRandom } from '../../src/utils/index.ts'
import { describeActors } from './actor.suite.ts'

describeActors('libp2p', {
  async create(privateKey) {
    const network = createLibp2pNetwork(
      { clock: systemClock, random: systemRandom, log: nullLogger, privateKey },
      { listenAddresses: ['/ip4/127.0.0.1/tcp/0'] }
    )
    await network.start()
    return network
  },
  async connect(a, b) {
    const [address] = b.addresses()
    assert.ok(address)
    await a.connect(`${address}/p2p/${b.peerId}`)
  }
})
