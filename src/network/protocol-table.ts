/** Handlers of the message protocols of one host: one handler per protocol. */

import type { Logger, PeerId } from '../types/index.ts'
import { errorMessage } from '../utils/index.ts'
import { NetworkError } from './errors.ts'
import type { MessageHandler, Registration } from './types.ts'

export class ProtocolTable {
  readonly #log: Logger | undefined
  readonly #handlers = new Map<string, MessageHandler>()

  constructor(deps: { log?: Logger | undefined }) {
    this.#log = deps.log
  }

  /** `onRemoved` runs once, when the registration is undone. @throws NetworkError `NETWORK_PROTOCOL_TAKEN`. */
  register(protocol: string, handler: MessageHandler, onRemoved?: () => void): Registration {
    if (this.#handlers.has(protocol)) {
      throw new NetworkError('NETWORK_PROTOCOL_TAKEN', `protocol '${protocol}' has a handler already`)
    }
    this.#handlers.set(protocol, handler)
    return {
      unregister: () => {
        if (this.#handlers.get(protocol) !== handler) return
        this.#handlers.delete(protocol)
        onRemoved?.()
      }
    }
  }

  has(protocol: string): boolean {
    return this.#handlers.has(protocol)
  }

  protocols(): string[] {
    return [...this.#handlers.keys()]
  }

  /** Hands a message to its handler; without one it is dropped. Never throws: the handler is somebody else's code. */
  deliver(protocol: string, payload: Uint8Array, from: PeerId): void {
    try {
      this.#handlers.get(protocol)?.(payload, from)
    } catch (error) {
      this.#log?.warn('message handler failed', { protocol, from, error: errorMessage(error) })
    }
  }
}
