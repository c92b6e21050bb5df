/**
 * Timers that the libraries leave behind when they stop: the last heartbeat of gossipsub, and two postponed
 * announcements of addresses. Each would do nothing, but would keep the process alive for a second. They sit in
 * public members that the declared types leave out; where one is gone in a later version, nothing happens here.
 */

import type { Host } from './host.ts'

/** To be called before the host stops: gossipsub forgets its timer when it does. */
export function releaseHeartbeat(host: Host): void {
  call(path(host.services.gossip, 'status', 'heartbeatTimeout'), 'unref')
}

/** To be called after the host stopped. */
export function cancelAnnouncements(host: Host): void {
  call(path(host, 'components', 'addressManager', '_updatePeerStoreAddresses'), 'stop')
  call(path(host.services.identifyPush, '_push'), 'stop')
}

function path(root: unknown, ...names: string[]): unknown {
  let value = root
  for (const name of names) value = isObject(value) ? Reflect.get(value, name) : undefined
  return value
}

function call(target: unknown, name: string): void {
  const method = isObject(target) ? Reflect.get(target, name) : undefined
  if (typeof method === 'function') Reflect.apply(method, target, [])
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
