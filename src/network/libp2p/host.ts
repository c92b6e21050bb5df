/**
 * Puts the libp2p host together (runtime §1.1, §7.1): TCP, noise, yamux, identify, ping, the DHT in server mode and
 * gossipsub, with limits for hostile peers and without what an idle node does not need.
 */

import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import { type Identify, type IdentifyPush, identify, identifyPush } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { type KadDHT, kadDHT } from '@libp2p/kad-dht'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import type { PrivateKey } from '../../lib/crypto/index.ts'
import { BOOTSTRAP_LIMIT_MS, CONNECT_LIMIT_MS, DHT_PROTOCOL } from '../constants.ts'
import { BoundedStore } from './bounded-store.ts'
import { gossipOptions } from './gossip-options.ts'

export interface HostServices extends Record<string, unknown> {
  identify: Identify
  identifyPush: IdentifyPush
  ping: Ping
  dht: KadDHT
  gossip: GossipSub
}

export type Host = Libp2p<HostServices>

export interface HostOptions {
  privateKey: PrivateKey
  listenAddresses: string[]
  /** Gossip score that the application gives a peer; 0 is neutral. */
  appScore: (peer: string) => number
}

/** High water of the existing network (runtime §1.8). */
const MAX_CONNECTIONS = 400

/** A host that is not started yet: `start` makes it listen. */
export async function createHost(options: HostOptions): Promise<Host> {
  return await createLibp2p<HostServices>({
    start: false,
    privateKey: privateKeyFromProtobuf(options.privateKey.toProtobuf()),
    nodeInfo: { name: 'nunet-dms', userAgent: 'nunet-dms' },
    datastore: new BoundedStore(),
    addresses: { listen: options.listenAddresses },
    transports: [tcp({ maxConnections: MAX_CONNECTIONS + 100, dialOpts: { noDelay: true } })],
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({
        maxInboundStreams: 512,
        maxOutboundStreams: 1024,
        streamOptions: { maxReadBufferLength: 2_097_152 }
      })
    ],
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      maxParallelDials: 32,
      dialTimeout: CONNECT_LIMIT_MS,
      // A node announces addresses of all its interfaces; those of foreign private networks lead nowhere slowly.
      addressDialTimeout: 2_000,
      // Nodes behind one address (office, lab, carrier NAT) come back together after an outage: the default of 5
      // connections per second and 10 pending would lock most of them out.
      inboundConnectionThreshold: 50,
      maxIncomingPendingConnections: 64,
      connectionCloseTimeout: 500
    },
    connectionMonitor: { pingInterval: 15_000, pingTimeout: { minTimeout: BOOTSTRAP_LIMIT_MS } },
    services: {
      identify: identify({ maxInboundStreams: 4 }),
      identifyPush: identifyPush({ maxInboundStreams: 4, debounce: 100 }),
      ping: ping({ maxInboundStreams: 4, timeout: BOOTSTRAP_LIMIT_MS, runOnLimitedConnection: true }),
      dht: kadDHT({
        protocol: DHT_PROTOCOL,
        clientMode: false,
        // Private and loopback addresses are how nodes of a lab find each other.
        peerInfoMapper: peer => peer,
        allowQueryWithZeroPeers: true,
        alpha: 3,
        kBucketSize: 20,
        initialQuerySelfInterval: 30_000,
        querySelfInterval: 600_000,
        routingTableUpdateMaxQueueSize: 512
      }),
      gossip: gossipsub(gossipOptions(options.appScore))
    }
  })
}
