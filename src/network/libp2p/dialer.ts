/** Gets a connection to a peer: an open one, else by the address book, else by the addresses the DHT knows. */

import type { Connection } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Clock, Logger, PeerId } from '../../types/index.ts'
import { deadline, errorMessage, raceSignal } from '../../utils/index.ts'
import { CONNECT_LIMIT_MS, PEER_LOOKUP_LIMIT_MS } from '../constants.ts'
import { unreachable } from '../faults.ts'
import type { Host } from './host.ts'

/** Questions to the DHT about one peer, and the pause between them. */
const LOOKUPS = 3
const LOOKUP_PAUSE_MS = 250

export class Dialer {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #host: Host
  /** Dials under way, so that a burst of messages to one peer makes one dial. */
  readonly #dials = new Map<PeerId, Promise<Connection>>()
  readonly #lifetime: AbortSignal

  constructor(deps: { clock: Clock; log: Logger; host: Host; lifetime: AbortSignal }) {
    this.#clock = deps.clock
    this.#log = deps.log
    this.#host = deps.host
    this.#lifetime = deps.lifetime
  }

  /** An open connection, a direct one if there is a choice. */
  existing(peer: PeerId): Connection | undefined {
    const open = this.#host.getConnections(peerIdFromString(peer)).filter(({ status }) => status === 'open')
    return open.find(connection => connection.limits === undefined) ?? open[0]
  }

  /**
   * An open connection to the peer, made now if need be.
   * @throws NetworkError `NETWORK_UNREACHABLE` within about 5 s, or the signal's reason.
   */
  async reach(peer: PeerId, signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted()
    const open = this.existing(peer)
    if (open) return open
    // The dial belongs to all who wait for it, so it ends with the host and not with one caller.
    const dial = this.#dials.get(peer) ?? this.#dial(peer).finally(() => this.#dials.delete(peer))
    this.#dials.set(peer, dial)
    return await raceSignal(dial, signal)
  }

  /** Dials one address. @throws NetworkError `NETWORK_UNREACHABLE`, or the signal's reason. */
  async dialAddress(
    peer: PeerId,
    address: Multiaddr,
    limitMs: number,
    parent: AbortSignal
  ): Promise<Connection> {
    parent.throwIfAborted()
    using limit = deadline(this.#clock, limitMs, `dialling '${address}'`, parent)
    try {
      return await raceSignal(this.#host.dial(address, { signal: limit.signal }), limit.signal)
    } catch (cause) {
      parent.throwIfAborted()
      throw unreachable(peer, limit.signal.aborted ? limit.signal.reason : cause)
    }
  }

  async #dial(peer: PeerId): Promise<Connection> {
    using limit = deadline(this.#clock, CONNECT_LIMIT_MS, `connecting to '${peer}'`, this.#lifetime)
    const { signal } = limit
    signal.throwIfAborted()
    try {
      return await raceSignal(this.#dialKnown(peer, signal), signal)
    } catch (cause) {
      this.#lifetime.throwIfAborted()
      throw unreachable(peer, signal.aborted ? signal.reason : cause)
    }
  }

  async #dialKnown(peer: PeerId, signal: AbortSignal): Promise<Connection> {
    const id = peerIdFromString(peer)
    const book = await this.#addressBook(peer)
    if (book.length > 0) {
      try {
        return await this.#host.dial(id, { signal })
      } catch (error) {
        signal.throwIfAborted()
        this.#log.debug('known addresses of a peer failed', { peer, error: errorMessage(error) })
      }
    }
    const fresh = (await this.#lookUp(peer, signal)).filter(address => !book.includes(address.toString()))
    if (fresh.length === 0)
      throw new Error(book.length > 0 ? 'all known addresses failed' : 'no address is known')
    return await this.#host.dial(
      fresh.map(address => withPeer(address, peer)),
      { signal }
    )
  }

  async #addressBook(peer: PeerId): Promise<string[]> {
    const id = peerIdFromString(peer)
    if (!(await this.#host.peerStore.has(id))) return []
    return (await this.#host.peerStore.get(id)).addresses.map(({ multiaddr }) => multiaddr.toString())
  }

  /**
   * Addresses the DHT knows. A peer that joined a moment ago is in nobody's table yet, so the question is asked again
   * a few times; without a connection there is nobody to ask.
   */
  async #lookUp(peer: PeerId, parent: AbortSignal): Promise<Multiaddr[]> {
    using limit = deadline(this.#clock, PEER_LOOKUP_LIMIT_MS, 'looking up a peer', parent)
    try {
      for (let asked = 1; this.#host.getConnections().length > 0; asked++) {
        const addresses = await this.#ask(peer, limit.signal)
        if (addresses.length > 0 || asked === LOOKUPS) return addresses
        await this.#clock.sleep(LOOKUP_PAUSE_MS, { signal: limit.signal })
      }
    } catch (error) {
      parent.throwIfAborted()
      this.#log.debug('look-up of a peer ran out of time', { peer, error: errorMessage(error) })
    }
    return []
  }

  async #ask(peer: PeerId, signal: AbortSignal): Promise<Multiaddr[]> {
    signal.throwIfAborted()
    try {
      const found = this.#host.peerRouting.findPeer(peerIdFromString(peer), { signal })
      return (await raceSignal(found, signal)).multiaddrs
    } catch {
      signal.throwIfAborted()
      return []
    }
  }
}

function withPeer(address: Multiaddr, peer: PeerId): Multiaddr {
  const isComplete = address.getComponents().at(-1)?.name === 'p2p'
  return isComplete ? address : address.encapsulate(`/p2p/${peer}`)
}
