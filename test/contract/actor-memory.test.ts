import { createMemoryNetworkHub } from '../../src/network/index.ts'
import { systemClock, systemRandom } from '../../src/utils/index.ts'
import { describeActors } from './actor.suite.ts'

const hub = createMemoryNetworkHub({ clock: systemClock, random: systemRandom })

describeActors('memory', {
  async create(key) {
    const network = hub.createNetwork(key)
    await network.start()
    return network
  },
  connect: async () => {}
})
