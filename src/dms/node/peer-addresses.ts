/** IP addresses of connected peers as last seen, for questions that must be answered at once. */

import type { Network, PeerInfo } from '../../network/index.ts'
import type { Logger, PeerId } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'

export interface PeerAddressesDeps {
  network: Pick<Network, 'peers' | 'onEvent'>
  log: Logger
}

export class PeerAddresses {
  readonly #deps: PeerAddressesDeps
  #byPeer: ReadonlyMap<PeerId, string> = new Map()
  #unsubscribe: (() => void) | undefined
  #refreshing: Promise<void> | undefined
  #isStale = false

  constructor(deps: PeerAddressesDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    this.#unsubscribe ??= this.#deps.network.onEvent(event => {
      if (event.type === 'peer-connected' || event.type === 'peer-disconnected') void this.#refresh()
    })
    await this.#refresh()
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    this.#isStale = false
    await this.#refreshing
  }

  /** `undefined` for a peer that is not connected, or only through a relay. */
  of(peer: PeerId): string | undefined {
    return this.#byPeer.get(peer)
  }

  /** One look at a time: many peers that come at once cost two. Never rejects. */
  async #refresh(): Promise<void> {
    this.#isStale = true
    this.#refreshing ??= this.#look().finally(() => {
      this.#refreshing = undefined
    })
    await this.#refreshing
  }

  async #look(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false
      try {
        const infos = await this.#deps.network.peers()
        const known = infos.flatMap(info => {
          const ip = info.connected ? firstIp(info) : undefined
          return ip === undefined ? [] : [[info.peer, ip] as const]
        })
        this.#byPeer = new Map(known)
      } catch (error) {
        this.#deps.log.debug('addresses of peers not known', { error: errorMessage(error) })
      }
    }
  }
}

/** The IP of a peer's first direct address. */
function firstIp(info: PeerInfo): string | undefined {
  for (const address of info.addresses) {
    const match = /^\/ip[46]\/([^/]+)\//.exec(address)
    if (match?.[1] !== undefined && !address.includes('/p2p-circuit')) return match[1]
  }
  return undefined
}
