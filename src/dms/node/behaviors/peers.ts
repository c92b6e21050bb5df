/** Peers as this node sees them (cli-api-config §6.3). */

import { z } from 'zod'
import { parsePeerId } from '../../../lib/crypto/index.ts'
import type { Network } from '../../../network/index.ts'
import type { Clock } from '../../../types/index.ts'
import { deadline, errorMessage } from '../../../utils/index.ts'
import { type Declaration, declare, noPayload } from '../declare.ts'

const BASE = '/dms/node/peers'

/** Probe limit of a ping (cli-api-config §6.3). */
const PING_LIMIT_MS = 1_000
const CONNECT_LIMIT_MS = 10_000
/** What Go prints for a time that was never set. */
const ZERO_TIME = '0001-01-01T00:00:00Z'

export function peerBehaviors({ network, clock }: { network: Network; clock: Clock }): Declaration[] {
  return [
    declare({
      path: `${BASE}/list`,
      request: noPayload,
      handle: async () => ({ Peers: [network.peerId, ...(await network.peers()).map(info => info.peer)] })
    }),
    declare({
      path: `${BASE}/self`,
      request: noPayload,
      handle: () => ({ id: network.peerId, listen_addr: network.addresses().join(', ') })
    }),
    declare({
      path: `${BASE}/ping`,
      request: z.object({ Host: z.string().max(128) }),
      handle: async ({ payload, signal }) => {
        using limit = deadline(clock, PING_LIMIT_MS, 'the ping', signal)
        try {
          return {
            Error: '',
            RTT: Math.round(await network.ping(parsePeerId(payload.Host), { signal: limit.signal }))
          }
        } catch (error) {
          return { Error: errorMessage(error), RTT: 0 }
        }
      },
      onError: ({ message }) => ({ Error: message, RTT: 0 })
    }),
    declare({
      path: `${BASE}/dht`,
      request: noPayload,
      handle: () => ({
        Peers: network.routingTable().map(Id => ({
          Id,
          LastUsefulAt: ZERO_TIME,
          LastSuccessfulOutboundQueryAt: ZERO_TIME,
          AddedAt: ZERO_TIME
        }))
      })
    }),
    declare({
      path: `${BASE}/connect`,
      request: z.object({ Address: z.string().max(512) }),
      handle: async ({ payload, signal }) => {
        using limit = deadline(clock, CONNECT_LIMIT_MS, 'the connection', signal)
        try {
          await network.connect(payload.Address, { signal: limit.signal })
          return { Status: 'CONNECTED', Error: '' }
        } catch (error) {
          return { Status: '', Error: errorMessage(error) }
        }
      },
      onError: ({ message }) => ({ Status: '', Error: message })
    }),
    declare({ path: `${BASE}/score`, request: noPayload, handle: () => ({ Score: network.scores() }) })
  ]
}
