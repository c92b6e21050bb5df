import { generateKey, peerIdOf } from '../../src/lib/crypto/index.ts'
import { createMemoryNetworkHub } from '../../src/network/index.ts'
import { systemClock, systemRandom } from '../../src/utils/index.ts'
import { describeNetwork } from './network.suite.ts'

for (const latencyMs of [0, 3]) {
  const hub = createMemoryNetworkHub({ clock: systemClock, random: systemRandom }, { discovery: 'none' })
  hub.setLatency(latencyMs, latencyMs * 2)
  describeNetwork(`the in-process network with a latency of ${latencyMs} ms`, {
    async create() {
      const network = hub.createNetwork(generateKey(systemRandom))
      await network.start()
      return network
    },
    createStopped: () => hub.createNetwork(generateKey(systemRandom)),
    strangerId: () => peerIdOf(generateKey(systemRandom).publicKey)
  })
}
