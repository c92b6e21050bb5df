/** The errors that both implementations report in the same words. */

import type { PeerId } from '../types/index.ts'
import { errorMessage } from '../utils/index.ts'
import { NetworkError } from './errors.ts'

export function notRunning(): NetworkError {
  return new NetworkError('NETWORK_NOT_RUNNING', 'the network is not running', { hint: 'start it first' })
}

export function unreachable(peer: PeerId, cause?: unknown): NetworkError {
  // Causes from below may be long lists of attempts; the first line says enough, the rest stays in the cause.
  const reason = cause === undefined ? '' : `: ${errorMessage(cause).split('\n', 1)[0]}`
  return new NetworkError('NETWORK_UNREACHABLE', `peer '${peer}' cannot be reached${reason}`, {
    hint: 'check that the peer runs and that its address is reachable from here',
    details: { peer },
    ...(cause === undefined ? {} : { cause })
  })
}

export function unsupported(peer: PeerId, protocol: string, cause?: unknown): NetworkError {
  return new NetworkError(
    'NETWORK_PROTOCOL_UNSUPPORTED',
    `peer '${peer}' takes no messages of protocol '${protocol}'`,
    { details: { peer, protocol }, ...(cause === undefined ? {} : { cause }) }
  )
}

/** Connecting to oneself, or pinging oneself. */
export function isSelf(peer: PeerId): NetworkError {
  return new NetworkError('NETWORK_ADDRESS_INVALID', `peer '${peer}' is this host itself`, {
    hint: 'name another peer',
    details: { peer }
  })
}
