/** What a libp2p host is made of. */

import type { PrivateKey } from '../../lib/crypto/index.ts'
import type { Clock, Logger, RandomSource } from '../../types/index.ts'

/** Collaborators of a libp2p host. */
export interface Libp2pNetworkDeps {
  clock: Clock
  random: RandomSource
  log: Logger
  /** Key of the host: its peer id and its DID come from it. */
  privateKey: PrivateKey
}

/** Settings of a libp2p host. */
export interface Libp2pNetworkOptions {
  /** Multiaddresses, for example `/ip4/0.0.0.0/tcp/9000`. QUIC addresses are skipped with a warning. */
  listenAddresses: readonly string[]
  /** Multiaddresses that end in `/p2p/<peer id>`. Default: none. */
  bootstrapPeers?: readonly string[]
}
