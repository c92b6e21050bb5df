/**
 * Finds peers in the background: keeps a line to a bootstrap peer, and connects to the neighbours the DHT names, so
 * that on a small network soon everybody knows everybody and broadcasts need no luck. Both loops back off when there
 * is nothing new and wake up when a peer connects.
 */

import { peerIdFromString } from '@libp2p/peer-id'
import type { Clock, Logger, PeerId, RandomSource } from '../../types/index.ts'
import { deadline, errorMessage } from '../../utils/index.ts'
import { BOOTSTRAP_LIMIT_MS } from '../constants.ts'
import { parseTarget, peerIdOf, type Target } from './addresses.ts'
import type { Dialer } from './dialer.ts'
import type { Host } from './host.ts'

/** Enough neighbours: no more are looked for (runtime §1.2). */
const ENOUGH_PEERS = 40

/** Dials of one round (runtime §1.5). */
const DIALS_PER_ROUND = 16

const QUERY_LIMIT_MS = 5_000

/** Back-off of the two loops: from, to. */
const NEIGHBOUR_DELAYS_MS = [200, 300_000] as const
const BOOTSTRAP_DELAYS_MS = [1_000, 60_000] as const

export interface DiscoveryDeps {
  clock: Clock
  random: RandomSource
  log: Logger
  host: Host
  dialer: Dialer
}

export class Discovery {
  readonly #deps: DiscoveryDeps
  readonly #bootstrap: Target[] = []
  #lifetime: AbortController | undefined
  #wake = new AbortController()
  #loops: Promise<void> = Promise.resolve()

  constructor(deps: DiscoveryDeps, options: { bootstrapPeers: readonly string[] }) {
    this.#deps = deps
    const self = peerIdOf(deps.host.peerId)
    for (const text of options.bootstrapPeers) {
      try {
        const target = parseTarget(text)
        if (target.peer !== self) this.#bootstrap.push(target)
      } catch (error) {
        deps.log.warn('bootstrap peer skipped', { address: text, error: errorMessage(error) })
      }
    }
  }

  /** Starts both loops and returns; nothing here can fail the start of the host. */
  start(): void {
    const lifetime = new AbortController()
    this.#lifetime = lifetime
    this.#deps.host.addEventListener('peer:connect', this.#onConnect)
    const guard = (loop: Promise<void>): Promise<void> =>
      loop.catch(error => {
        if (!lifetime.signal.aborted)
          this.#deps.log.error('peer discovery ended', { error: errorMessage(error) })
      })
    this.#loops = Promise.all([
      guard(this.#keepBootstrap(lifetime.signal)),
      guard(this.#findNeighbours(lifetime.signal))
    ]).then(() => undefined)
  }

  async stop(): Promise<void> {
    this.#deps.host.removeEventListener('peer:connect', this.#onConnect)
    this.#lifetime?.abort(new Error('discovery stopped'))
    await this.#loops
  }

  readonly #onConnect = (): void => this.#wake.abort()

  async #keepBootstrap(signal: AbortSignal): Promise<void> {
    if (this.#bootstrap.length === 0) return
    const [firstMs, lastMs] = BOOTSTRAP_DELAYS_MS
    let delayMs: number = firstMs
    for (;;) {
      if (this.#bootstrap.some(({ peer }) => this.#deps.dialer.existing(peer) !== undefined)) {
        delayMs = firstMs
        await this.#deps.clock.sleep(this.#jitter(lastMs / 4), { signal })
        continue
      }
      const connected = await this.#dialBootstrap(signal)
      if (connected > 0) continue
      await this.#deps.clock.sleep(this.#jitter(delayMs), { signal })
      delayMs = Math.min(delayMs * 2, lastMs)
    }
  }

  /** All at once under one limit (runtime §1.3); answers how many answered. */
  async #dialBootstrap(parent: AbortSignal): Promise<number> {
    const { clock, dialer, log } = this.#deps
    using limit = deadline(clock, BOOTSTRAP_LIMIT_MS, 'dialling the bootstrap peers', parent)
    const dials = await Promise.allSettled(
      this.#bootstrap.map(({ peer, address }) =>
        address === undefined
          ? dialer.reach(peer, limit.signal)
          : dialer.dialAddress(peer, address, BOOTSTRAP_LIMIT_MS, limit.signal)
      )
    )
    parent.throwIfAborted()
    const failures = dials.flatMap(dial => (dial.status === 'rejected' ? [errorMessage(dial.reason)] : []))
    const connected = dials.length - failures.length
    if (connected > 0) log.info('connected to bootstrap peers', { connected, failed: failures.length })
    else log.warn('no bootstrap peer answered', { failures: failures.slice(0, 3) })
    return connected
  }

  async #findNeighbours(signal: AbortSignal): Promise<void> {
    const [firstMs, lastMs] = NEIGHBOUR_DELAYS_MS
    let delayMs: number = firstMs
    for (;;) {
      if (await this.#sleepUnlessWoken(this.#jitter(delayMs), signal)) {
        delayMs = firstMs
        // The routing table learns of a new peer some round trips after the connection.
        await this.#deps.clock.sleep(this.#jitter(firstMs), { signal })
      }
      const found = await this.#round(signal)
      delayMs = found > 0 ? firstMs : Math.min(delayMs * 2, lastMs)
    }
  }

  /** Asks the DHT for the peers closest to this host and connects to the new ones; answers how many it reached. */
  async #round(signal: AbortSignal): Promise<number> {
    const connected = this.#deps.host.getPeers().length
    if (connected === 0 || connected >= ENOUGH_PEERS) return 0
    const strangers = (await this.#closestPeers(signal)).slice(
      0,
      Math.min(DIALS_PER_ROUND, ENOUGH_PEERS - connected)
    )
    const dials = await Promise.allSettled(strangers.map(peer => this.#deps.dialer.reach(peer, signal)))
    signal.throwIfAborted()
    return dials.filter(dial => dial.status === 'fulfilled').length
  }

  /** Peers near this host that it is not connected to, nearest first. */
  async #closestPeers(parent: AbortSignal): Promise<PeerId[]> {
    const { clock, host, log, dialer } = this.#deps
    const self = peerIdOf(host.peerId)
    const peers = new Set<PeerId>()
    using limit = deadline(clock, QUERY_LIMIT_MS, 'looking for neighbours', parent)
    try {
      for await (const { id, multiaddrs } of host.peerRouting.getClosestPeers(
        host.peerId.toMultihash().bytes,
        {
          signal: limit.signal
        }
      )) {
        const peer = peerIdOf(id)
        if (peer === self || dialer.existing(peer) !== undefined) continue
        if (multiaddrs.length > 0) await host.peerStore.merge(peerIdFromString(peer), { multiaddrs })
        peers.add(peer)
      }
    } catch (error) {
      parent.throwIfAborted()
      log.debug('look-up of neighbours failed', { error: errorMessage(error) })
    }
    return [...peers]
  }

  /** True when a peer connected meanwhile. */
  async #sleepUnlessWoken(ms: number, signal: AbortSignal): Promise<boolean> {
    const wake = this.#wake
    try {
      await this.#deps.clock.sleep(ms, { signal: AbortSignal.any([signal, wake.signal]) })
      return false
    } catch (error) {
      if (signal.aborted) throw error
      return true
    } finally {
      if (wake.signal.aborted) this.#wake = new AbortController()
    }
  }

  /** Between half and the whole of `ms`, so that nodes started together do not act together. */
  #jitter(ms: number): number {
    const half = Math.floor(ms / 2)
    return ms - this.#deps.random.below(Math.max(1, half))
  }
}
