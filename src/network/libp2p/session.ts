/** One run of the host, from `start` to `stop`: the libp2p node and the parts built on it. */

import type { Connection, PeerId as LibraryPeerId, Stream } from '@libp2p/interface'
import type { PeerId } from '../../types/index.ts'
import { errorMessage } from '../../utils/index.ts'
import { NetworkError } from '../errors.ts'
import type { ProtocolTable } from '../protocol-table.ts'
import type { TopicTable } from '../topic-table.ts'
import type { NetworkEvent } from '../types.ts'
import { listenFailure, peerIdOf, sortListenAddresses } from './addresses.ts'
import { Dialer } from './dialer.ts'
import { Discovery } from './discovery.ts'
import { Gossip } from './gossip.ts'
import { createHost, type Host } from './host.ts'
import { InboundStreams } from './inbound.ts'
import { INBOUND_LIMITS } from './inbound-budget.ts'
import { cancelAnnouncements, releaseHeartbeat } from './loose-ends.ts'
import { OutboundStreams } from './outbound.ts'
import type { Penalties } from './penalties.ts'
import type { Libp2pNetworkDeps, Libp2pNetworkOptions } from './types.ts'

/** Time the host has to close its connections politely before they are cut. */
const POLITE_STOP_MS = 400

export interface SessionDeps extends Libp2pNetworkDeps {
  protocols: ProtocolTable
  topics: TopicTable
  penalties: Penalties
  emit: (event: NetworkEvent) => void
}

export class Session {
  readonly host: Host
  readonly dialer: Dialer
  readonly gossip: Gossip
  readonly outbound: OutboundStreams
  readonly #deps: SessionDeps
  readonly #inbound: InboundStreams
  readonly #discovery: Discovery
  readonly #end = new AbortController()

  private constructor(deps: SessionDeps, options: Libp2pNetworkOptions, host: Host) {
    this.#deps = deps
    this.host = host
    const log = deps.log.child({ component: 'network' })
    this.dialer = new Dialer({ clock: deps.clock, log, host, lifetime: this.#end.signal })
    this.outbound = new OutboundStreams(deps)
    this.#inbound = new InboundStreams({
      clock: deps.clock,
      log,
      deliver: (protocol, payload, from) => deps.protocols.deliver(protocol, payload, from)
    })
    this.gossip = new Gossip({ ...deps, log, service: host.services.gossip, self: peerIdOf(host.peerId) })
    this.#discovery = new Discovery(
      { clock: deps.clock, random: deps.random, log, host, dialer: this.dialer },
      { bootstrapPeers: options.bootstrapPeers ?? [] }
    )
  }

  /** Fires when the session ends. */
  get lifetime(): AbortSignal {
    return this.#end.signal
  }

  /** @throws NetworkError `NETWORK_LISTEN_FAILED`, `NETWORK_ADDRESS_INVALID`. */
  static async open(deps: SessionDeps, options: Libp2pNetworkOptions): Promise<Session> {
    const { usable, skipped } = sortListenAddresses(options.listenAddresses)
    if (skipped.length > 0) {
      deps.log.warn('listen addresses skipped: this host speaks TCP only', { addresses: skipped })
    }
    const host = await createHost({
      privateKey: deps.privateKey,
      listenAddresses: usable,
      appScore: peer => -deps.penalties.of(peer)
    })
    const session = new Session(deps, options, host)
    await session.#begin(usable)
    return session
  }

  async #begin(listenAddresses: string[]): Promise<void> {
    this.host.addEventListener('peer:connect', this.#onConnect)
    this.host.addEventListener('peer:disconnect', this.#onDisconnect)
    // Before the first peer can connect, so that it finds every actor that is there.
    for (const protocol of this.#deps.protocols.protocols()) this.handle(protocol)
    try {
      await this.host.start()
    } catch (error) {
      throw listenFailure(error, listenAddresses)
    }
    this.gossip.start()
    this.#discovery.start()
  }

  /** Takes messages of a protocol from now on. */
  handle(protocol: string): void {
    const onStream = (stream: Stream, connection: Connection): void => {
      this.#inbound.accept(protocol, stream, peerIdOf(connection.remotePeer))
    }
    this.host
      .handle(protocol, onStream, {
        maxInboundStreams: INBOUND_LIMITS.streamsPerPeer,
        maxOutboundStreams: INBOUND_LIMITS.streamsPerPeer,
        runOnLimitedConnection: true,
        force: true
      })
      .catch(error => this.#deps.log.warn('protocol not announced', { protocol, error: errorMessage(error) }))
  }

  unhandle(protocol: string): void {
    this.host
      .unhandle(protocol)
      .catch(error => this.#deps.log.warn('protocol not withdrawn', { protocol, error: errorMessage(error) }))
  }

  /** Ends everything: waits a moment for polite goodbyes, then cuts the connections. Never throws. */
  async close(): Promise<void> {
    this.#end.abort(new NetworkError('NETWORK_NOT_RUNNING', 'the network was stopped'))
    this.gossip.stop()
    const cut = this.#deps.clock.setTimer(POLITE_STOP_MS, () => {
      for (const connection of this.host.getConnections())
        connection.abort(new Error('the network was stopped'))
    })
    try {
      await this.#discovery.stop()
      releaseHeartbeat(this.host)
      await this.host.stop()
      cancelAnnouncements(this.host)
    } catch (error) {
      this.#deps.log.warn('network did not stop cleanly', { error: errorMessage(error) })
    } finally {
      cut.cancel()
    }
  }

  readonly #onConnect = ({ detail }: CustomEvent<LibraryPeerId>): void => {
    this.#deps.emit({ type: 'peer-connected', peer: peerIdOf(detail) })
  }

  readonly #onDisconnect = ({ detail }: CustomEvent<LibraryPeerId>): void => {
    const peer: PeerId = peerIdOf(detail)
    this.gossip.forget(peer)
    this.#deps.emit({ type: 'peer-disconnected', peer })
  }
}
