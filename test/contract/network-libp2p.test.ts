import { generateKey, peerIdOf } from '../../src/lib/crypto/index.ts'
import type { Network } from '../../src/network/index.ts'
import { createLibp2pNetwork } from '../../src/network/libp2p/index.ts'
import { systemClock, systemRandom } from '../../src/utils/index.ts'
import { silentLog } from '../unit/network/helpers.ts'
import { describeNetwork } from './network.suite.ts'

function create(): Network {
  return createLibp2pNetwork(
    { clock: systemClock, random: systemRandom, log: silentLog, privateKey: generateKey(systemRandom) },
    { listenAddresses: ['/ip4/127.0.0.1/tcp/0'] }
  )
}

describeNetwork('libp2p', {
  async create() {
    const network = create()
    await network.start()
    return network
  },
  createStopped: create,
  strangerId: () => peerIdOf(generateKey(systemRandom).publicKey)
})
