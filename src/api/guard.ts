/**
 * Who may talk to the server at all. It listens on the loopback, but web pages run there too: a page of a stranger
 * can send requests to it (refused by `Origin`), and a stranger's name can be made to point at 127.0.0.1 (DNS
 * rebinding, refused by `Host`).
 */

import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { ALLOWED_ORIGINS } from './constants.ts'
import { ApiError } from './errors.ts'

const LOCAL_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1']
const WILDCARDS: readonly string[] = ['', '0.0.0.0', '::']

/** @throws ApiError `API_HOST_REFUSED`, `API_ORIGIN_REFUSED`. */
export function checkCaller(request: IncomingMessage, boundAddress: string): void {
  const host = request.headers.host ?? ''
  if (!isLocalHost(host, boundAddress))
    throw new ApiError('API_HOST_REFUSED', `host '${clip(host)}' is not local`)
  const { origin } = request.headers
  if (origin !== undefined && !isAllowedOrigin(origin, host)) {
    throw new ApiError('API_ORIGIN_REFUSED', `origin '${clip(origin)}' is not allowed`)
  }
}

function isLocalHost(host: string, boundAddress: string): boolean {
  const name = hostName(host)
  if (name === undefined) return false
  if (LOCAL_NAMES.includes(name) || name === hostName(boundAddress)) return true
  // Bound to all addresses, the machine is meant to be reached by them; an address cannot be rebound, a name can.
  return WILDCARDS.includes(boundAddress) && isIP(name) !== 0
}

/** Lower-case host of `host[:port]`, brackets of IPv6 removed; `undefined` when it is no such text. */
function hostName(host: string): string | undefined {
  if (isIP(host) === 6) return host.toLowerCase()
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::\d{1,5})?$/i.exec(host)
  return (match?.[1] ?? match?.[2])?.toLowerCase()
}

/** The pages of cli-api-config §4, and pages the server itself would serve. */
export function isAllowedOrigin(origin: string, host: string): boolean {
  return ALLOWED_ORIGINS.includes(origin) || origin === `http://${host}`
}

function clip(text: string): string {
  return text.slice(0, 100)
}
