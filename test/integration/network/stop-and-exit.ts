/** Run as a process by the test: two hosts meet, stop, and nothing must keep the process alive. */

import { generateKey } from '../../../src/lib/crypto/index.ts'
import { createLibp2pNetwork } from '../../../src/network/libp2p/index.ts'
import { systemClock, systemRandom } from '../../../src/utils/index.ts'
import { silentLog } from '../../unit/network/helpers.ts'

const [alice, bob] = [1, 2].map(() =>
  createLibp2pNetwork(
    { clock: systemClock, random: systemRandom, log: silentLog, privateKey: generateKey(systemRandom) },
    { listenAddresses: ['/ip4/127.0.0.1/tcp/0'] }
  )
)
if (!alice || !bob) throw new Error('two hosts were made')
await Promise.all([alice.start(), bob.start()])
bob.handleMessages('p', () => undefined)
await alice.connect(`${bob.addresses()[0]}/p2p/${bob.peerId}`)
await alice.send(bob.peerId, 'p', new Uint8Array(1))
await Promise.all([alice.stop(), bob.stop()])
const stoppedMs = systemClock.monotonicMs()
process.on('exit', () => console.log(`exit after ${Math.round(systemClock.monotonicMs() - stoppedMs)} ms`))
