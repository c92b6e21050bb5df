/** Settings of gossipsub (runtime §1.7). Parts of the score that the existing network leaves off are off here too. */

import { type GossipsubOpts, StrictSign } from '@libp2p/gossipsub'
import { concatBytes } from '../../utils/index.ts'

const HOUR_MS = 3_600_000

/** Bytes of one gossip packet: several messages of 1 MiB may travel in an answer, each is checked by itself. */
const MAX_PACKET_BYTES = 4_194_304

/** Bytes that may wait for a slow peer before it is cut off. */
const MAX_WAITING_BYTES = 16_777_216

/** The options for a host whose application scores peers by `appScore`. */
export function gossipOptions(appScore: (peer: string) => number): Partial<GossipsubOpts> {
  return {
    globalSignaturePolicy: StrictSign,
    fallbackToFloodsub: false,
    floodPublish: true,
    // One encoding for all receivers; without it the library adds one peer's control messages to all others' packets.
    batchPublish: true,
    doPX: true,
    emitSelf: false,
    allowPublishToZeroTopicPeers: true,
    runOnLimitedConnection: true,
    msgIdFn: message => {
      if (message.type !== 'signed') throw new Error('message without signature')
      return messageId(message.from.toMultihash().bytes, message.sequenceNumber)
    },
    maxInboundStreams: 8,
    maxInboundDataLength: MAX_PACKET_BYTES,
    maxOutboundBufferSize: MAX_WAITING_BYTES,
    maxTopicBytesPerPeer: 131_072,
    decodeRpcLimits: {
      maxSubscriptions: 256,
      maxMessages: 1024,
      maxIhaveMessageIDs: 5000,
      maxIwantMessageIDs: 5000,
      maxControlMessages: 1024,
      maxIdontwantMessageIDs: 512,
      maxPeerInfos: 16
    },
    scoreParams: {
      topics: {},
      topicScoreCap: 10,
      appSpecificScore: appScore,
      appSpecificWeight: 1,
      // With the library's default an office or a lab behind one address silences itself.
      IPColocationFactorWeight: 0,
      behaviourPenaltyWeight: 0,
      decayInterval: HOUR_MS,
      decayToZero: 0.001,
      retainScore: 6 * HOUR_MS
    },
    scoreThresholds: {
      gossipThreshold: -500,
      publishThreshold: -1000,
      graylistThreshold: -2500,
      acceptPXThreshold: 0,
      opportunisticGraftThreshold: 2.5
    }
  }
}

/**
 * Sender and sequence number as the Go library joins them: the bytes of the peer id, then 8 bytes big endian. The
 * js default takes the bare public key instead, which would break IHAVE and IWANT between the two.
 */
export function messageId(from: Uint8Array, sequenceNumber: bigint): Uint8Array {
  const sequence = new Uint8Array(8)
  new DataView(sequence.buffer).setBigUint64(0, sequenceNumber)
  return concatBytes(from, sequence)
}
