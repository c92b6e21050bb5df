/** Multiaddresses as they come from configuration and from callers. */

import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { PeerId } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import { NetworkError } from '../errors.ts'

/** Peer ids of the library have many forms; only their text leaves this folder. */
export function peerIdOf(id: { toString(): string }): PeerId {
  return id.toString() as PeerId // the library made it from a key, so it has the form that the brand promises
}

/** @throws NetworkError `NETWORK_ADDRESS_INVALID`. */
export function parseMultiaddr(text: string): Multiaddr {
  try {
    return multiaddr(text)
  } catch (cause) {
    throw invalid(text, 'is not a multiaddress', cause)
  }
}

export interface Target {
  peer: PeerId
  /** Absent when the text names the peer only. */
  address: Multiaddr | undefined
}

/** Reads `/ip4/…/tcp/…/p2p/<peer id>` or `/p2p/<peer id>`. @throws NetworkError `NETWORK_ADDRESS_INVALID`. */
export function parseTarget(text: string): Target {
  const address = parseMultiaddr(text)
  const components = address.getComponents()
  const last = components.at(-1)
  if (last?.name !== 'p2p' || last.value === undefined) throw invalid(text, 'does not end in /p2p/<peer id>')
  try {
    const peer = peerIdOf(peerIdFromString(last.value))
    return { peer, address: components.length > 1 ? address : undefined }
  } catch (cause) {
    throw invalid(text, 'does not end in a peer id', cause)
  }
}

/** Transports of listen addresses this host has no code for; configurations of the existing network name them. */
const OTHER_TRANSPORTS = new Set(['udp', 'quic', 'quic-v1', 'webtransport', 'ws', 'wss', 'webrtc-direct'])

/** Splits listen addresses into those this host can serve and those it skips. @throws NetworkError `NETWORK_ADDRESS_INVALID`. */
export function sortListenAddresses(texts: readonly string[]): { usable: string[]; skipped: string[] } {
  const usable: string[] = []
  const skipped: string[] = []
  for (const text of texts) {
    const names = parseMultiaddr(text)
      .getComponents()
      .map(component => component.name)
    if (names.some(name => OTHER_TRANSPORTS.has(name))) skipped.push(text)
    else if (names.length === 2 && names[1] === 'tcp') usable.push(text)
    else throw invalid(text, "is no listen address like '/ip4/0.0.0.0/tcp/9000'")
  }
  return { usable, skipped }
}

/** An address without its `/p2p/<peer id>` end; relay addresses keep the relay's. */
export function withoutPeer(address: Multiaddr): string {
  return address.toString().replace(/\/p2p\/[^/]+$/, '')
}

/** What went wrong when the host could not start listening. */
export function listenFailure(cause: unknown, addresses: readonly string[]): unknown {
  const text = errorMessage(cause)
  const code = /\b(EADDRINUSE|EADDRNOTAVAIL|EACCES)\b/.exec(text)?.[1]
  if (code === undefined) return cause
  const failed = addresses.filter(address => text.includes(`${address}:`))
  const named = (failed.length > 0 ? failed : addresses).map(address => `'${address}'`).join(', ')
  return new NetworkError('NETWORK_LISTEN_FAILED', `cannot listen on ${named}: ${LISTEN_REASONS[code]}`, {
    hint: `${LISTEN_HINTS[code]}, or set another address in the configuration key p2p.listen_address`,
    details: { addresses: failed, code },
    cause
  })
}

const LISTEN_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use',
  EADDRNOTAVAIL: 'the address does not belong to this machine',
  EACCES: 'the system does not permit it'
}

const LISTEN_HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'stop the program that listens there (perhaps another node)',
  EADDRNOTAVAIL: 'bring the interface up',
  EACCES: 'ports below 1024 need privileges'
}

function invalid(text: string, problem: string, cause?: unknown): NetworkError {
  return new NetworkError('NETWORK_ADDRESS_INVALID', `'${text}' ${problem}`, {
    hint: "expected for example '/ip4/192.0.2.7/tcp/9000/p2p/12D3KooW…'",
    details: { address: text },
    ...(cause === undefined ? {} : { cause })
  })
}
