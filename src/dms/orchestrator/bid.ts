/**
 * Bids as they travel (deployment §2.4.3) and the signature in them, which covers the text `dms-bid-` and the
 * Go JSON of the bid without its signature. Two eras write the location differently; each is verified in the
 * form it was signed in.
 */

import { z } from 'zod'
import { handleFromWire, handleToWire } from '../../actor/index.ts'
import { type PrivateKey, publicKeyOfPeerId } from '../../lib/crypto/index.ts'
import type { Handle, PeerId, Refusal, Result } from '../../types/index.ts'
import {
  base64ToBytes,
  bytesToBase64,
  goJsonString,
  ok,
  refusal,
  refuse,
  utf8ToBytes
} from '../../utils/index.ts'
import type { LocationSpec } from '../ensemble/index.ts'
import { MAX_ALTERNATIVES } from '../jobs/index.ts'
import { readPeerRefusal } from './bounds.ts'

/** Which release's form a bid is written in. */
export type BidEra = 'v0.5' | 'later'

/** A verified bid. */
export interface Bid {
  readonly node: string
  readonly peer: PeerId
  /** Root handle of the provider node. */
  readonly handle: Handle
  readonly location: LocationSpec
  /** Extension, unsigned inside the bid but signed with its message: addresses published ports are reached at. */
  readonly addresses: readonly string[]
}

/** A provider's "no", with reasons: sent only to an orchestrator that asked for them. */
export interface Decline {
  readonly peer: PeerId
  readonly refusal: Refusal
  /** The answer will be the same until the provider's owner changes something. */
  readonly permanent: boolean
}

const MAX_ADDRESSES = 16
const text = z.string().max(512)
const locationSchema = z.looseObject({
  region: text.optional(),
  continent: text.optional(),
  country: text.optional(),
  city: text.optional(),
  asn: z.number().optional(),
  isp: text.optional()
})

const signedBidSchema = z.object({
  EnsembleID: text,
  NodeID: text,
  Peer: text,
  Location: locationSchema.nullish(),
  Handle: z.unknown(),
  Signature: z.string().max(1024).nullish()
})

const bidSchema = z.object({
  V1: signedBidSchema.nullish(),
  /** Extension: bids for other nodes of the request, of which the orchestrator may take one instead. */
  Alternatives: z.array(signedBidSchema).max(MAX_ALTERNATIVES).optional(),
  Addresses: z.array(text).max(MAX_ADDRESSES).optional(),
  Declined: z
    .object({ EnsembleID: text, Refusal: z.unknown(), Permanent: z.boolean().default(false) })
    .optional()
})

type WireLocation = z.infer<typeof locationSchema>
type WireBid = z.infer<typeof signedBidSchema>

/** Go JSON of the location in the form of its era: later releases leave out what is empty, v0.5 writes all five. */
function locationJson(location: WireLocation, era: BidEra): string {
  const asn = location.asn ?? 0
  const country = location.country ?? ''
  const city = location.city ?? ''
  const isp = location.isp ?? ''
  if (era === 'v0.5') {
    const region = goJsonString(location.region ?? '')
    return `{"region":${region},"country":${goJsonString(country)},"city":${goJsonString(city)},"asn":${asn},"isp":${goJsonString(isp)}}`
  }
  const members = [
    ...textMember('continent', location.continent ?? ''),
    ...textMember('country', country),
    ...textMember('city', city),
    ...(asn ? [`"asn":${asn}`] : []),
    ...textMember('isp', isp)
  ]
  return `{${members.join(',')}}`
}

function textMember(name: string, value: string): string[] {
  return value === '' ? [] : [`"${name}":${goJsonString(value)}`]
}

function signingBytes(
  bid: { ensembleId: string; node: string; peer: string; location: WireLocation; handle: Handle },
  era: BidEra
): Uint8Array {
  // Handle members are base32, DIDs and ids; Go's extra escapes can only occur in the inbox name.
  const handle = JSON.stringify(handleToWire(bid.handle)).replace(
    /[<>&]/g,
    found => `\\u00${found.charCodeAt(0).toString(16)}`
  )
  return utf8ToBytes(
    `dms-bid-{"EnsembleID":${goJsonString(bid.ensembleId)},"NodeID":${goJsonString(bid.node)},"Peer":${goJsonString(bid.peer)},` +
      `"Location":${locationJson(bid.location, era)},"Handle":${handle},"Signature":null}`
  )
}

/** The reply of a provider that wants a node of the ensemble. */
export function writeBid(
  bid: OfferedNode & {
    addresses: readonly string[]
    /** Other nodes it would take instead, for an orchestrator that asked for reasons. */
    alternatives?: readonly string[]
    /** Why it does not bid for the remaining nodes. */
    declined?: { refusal: Refusal; permanent: boolean } | undefined
  },
  key: PrivateKey
): Record<string, unknown> {
  const { alternatives, declined, addresses, ...offered } = bid
  return {
    V1: signBid(offered, key),
    Addresses: addresses.slice(0, MAX_ADDRESSES),
    ...(alternatives ? { Alternatives: alternatives.map(node => signBid({ ...offered, node }, key)) } : {}),
    ...(declined ? declinedMember(bid.ensembleId, declined.refusal, declined.permanent) : {})
  }
}

/** What one signature covers. */
interface OfferedNode {
  readonly ensembleId: string
  readonly node: string
  readonly handle: Handle
  readonly location: LocationSpec
  readonly era: BidEra
}

function signBid(bid: OfferedNode, key: PrivateKey): Record<string, unknown> {
  const peer = bid.handle.address.host
  const location: WireLocation =
    bid.era === 'v0.5' ? { ...bid.location, region: bid.location.continent } : { ...bid.location }
  const signed = { ensembleId: bid.ensembleId, node: bid.node, peer, location, handle: bid.handle }
  return {
    EnsembleID: bid.ensembleId,
    NodeID: bid.node,
    Peer: peer,
    Location: JSON.parse(locationJson(location, bid.era)),
    Handle: handleToWire(bid.handle),
    Signature: bytesToBase64(key.sign(signingBytes(signed, bid.era)))
  }
}

/** The reply of a provider that says no and why. A reader that does not know `Declined` sees a bid without content. */
export function writeDecline(
  ensembleId: string,
  refused: Refusal,
  permanent: boolean
): Record<string, unknown> {
  return { V1: null, ...declinedMember(ensembleId, refused, permanent) }
}

function declinedMember(ensembleId: string, refused: Refusal, permanent: boolean): Record<string, unknown> {
  return { Declined: { EnsembleID: ensembleId, Refusal: refused, Permanent: permanent } }
}

/** What came back: a bid, a reasoned no, or something that must not be believed. */
export interface BidAnswer {
  readonly peer: PeerId
  /** The nodes it would take, one of them. */
  readonly bids: readonly Bid[]
  /** Why it would not take the others. */
  readonly decline: Decline | undefined
  /** Whether the answer speaks of every node that was asked for; a provider of the existing system names one and no more. */
  readonly isComplete: boolean
}

/**
 * Reads and verifies an answer to a bid request. The bid must be signed by the key of the peer it names, and that
 * peer must be the one the message came from.
 */
export function readBidAnswer(payload: unknown, from: Handle, ensembleId: string): Result<BidAnswer> {
  const parsed = bidSchema.safeParse(payload)
  const peer = from.address.host
  if (!parsed.success) return refuse(refusal('BID_MALFORMED', 'the bid does not have the form of one'))
  if (peer === '') return refuse(refusal('BID_MALFORMED', 'the bid came from nowhere'))
  const { V1: first, Alternatives: alternatives, Declined: declined, Addresses: addresses = [] } = parsed.data
  if (!first && !declined) return refuse(refusal('BID_MALFORMED', 'the bid is empty'))
  const decline = readDecline(declined, peer, ensembleId)
  if (!decline.ok) return decline
  const bids: Bid[] = []
  for (const wire of first ? [first, ...(alternatives ?? [])] : []) {
    const bid = readSignedBid(wire, peer, ensembleId, addresses)
    // A provider that signs one bid and forges another is not to be believed in either.
    if (!bid.ok) return bid
    bids.push(bid.value)
  }
  return ok({ peer, bids, decline: decline.value, isComplete: !first || alternatives !== undefined })
}

function readDecline(
  declined: z.infer<typeof bidSchema>['Declined'],
  peer: PeerId,
  ensembleId: string
): Result<Decline | undefined> {
  if (declined === undefined) return ok(undefined)
  const reasons = readPeerRefusal(declined.Refusal)
  if (reasons === undefined)
    return refuse(refusal('BID_MALFORMED', 'the refusal does not have the form of one'))
  if (declined.EnsembleID !== ensembleId) {
    return refuse(refusal('BID_ENSEMBLE', `the refusal is for ensemble '${declined.EnsembleID}'`))
  }
  return ok({ peer, refusal: reasons, permanent: declined.Permanent })
}

function readSignedBid(
  wire: WireBid,
  peer: PeerId,
  ensembleId: string,
  addresses: readonly string[]
): Result<Bid> {
  if (wire.EnsembleID !== ensembleId) {
    return refuse(refusal('BID_ENSEMBLE', `the bid is for ensemble '${wire.EnsembleID}'`))
  }
  if (wire.Peer !== peer) {
    return refuse(refusal('BID_PEER', `the bid names peer '${wire.Peer}' and came from '${peer}'`))
  }
  const handle = readHandle(wire.Handle)
  if (handle === undefined || handle.address.host !== peer) {
    return refuse(refusal('BID_HANDLE', 'the handle in the bid is not one of its peer'))
  }
  const location = wire.Location ?? {}
  const era: BidEra = location.region === undefined ? 'later' : 'v0.5'
  const bytes = signingBytes({ ensembleId, node: wire.NodeID, peer, location, handle }, era)
  if (!verifySignature(peer, bytes, wire.Signature ?? '')) {
    return refuse(refusal('BID_SIGNATURE', 'the signature of the bid does not verify'))
  }
  return ok({ node: wire.NodeID, peer, handle, location: plainLocation(location), addresses })
}

function plainLocation(location: WireLocation): LocationSpec {
  const { region, continent = region, country, city, asn, isp } = location
  return { continent, country, city, asn, isp }
}

function verifySignature(peer: PeerId, bytes: Uint8Array, signature: string): boolean {
  try {
    return publicKeyOfPeerId(peer).verify(bytes, base64ToBytes(signature))
  } catch {
    return false
  }
}

/** A handle from wire form, or `undefined` when it is not one. */
export function readHandle(value: unknown): Handle | undefined {
  const result = handleFromWire(value)
  return result.ok ? result.value : undefined
}
