/**
 * The peer-to-peer host on libp2p: TCP, noise, yamux, the DHT and gossip of the existing network.
 *
 * @example
 * await using network = createLibp2pNetwork(
 *   { clock: systemClock, random: systemRandom, log, privateKey },
 *   { listenAddresses: ['/ip4/0.0.0.0/tcp/9000'], bootstrapPeers: config.p2p.bootstrap_peers }
 * )
 * await network.start()
 *
 * @packageDocumentation
 */
import type { Network } from '../types.ts'
import { Libp2pNetwork } from './network.ts'
import type { Libp2pNetworkDeps, Libp2pNetworkOptions } from './types.ts'

export type { Libp2pNetworkDeps, Libp2pNetworkOptions } from './types.ts'

/**
 * Makes a host; nothing happens before `start`. `start` returns as soon as the host listens: bootstrap peers are
 * dialled in the background and their failures only logged.
 */
export function createLibp2pNetwork(deps: Libp2pNetworkDeps, options: Libp2pNetworkOptions): Network {
  return new Libp2pNetwork(deps, options)
}
