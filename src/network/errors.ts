import { NuError, type NuErrorOptions } from '../utils/index.ts'

/** What went wrong between this host and its peers. */
export type NetworkErrorCode =
  /** Text is not a multiaddress, or names no peer. */
  | 'NETWORK_ADDRESS_INVALID'
  /** No connection could be made, or it broke before the message was handed over. */
  | 'NETWORK_UNREACHABLE'
  /** The peer has nothing that takes this protocol: no such actor there. */
  | 'NETWORK_PROTOCOL_UNSUPPORTED'
  /** A second handler for one protocol. */
  | 'NETWORK_PROTOCOL_TAKEN'
  /** Over `MAX_MESSAGE_BYTES`. */
  | 'NETWORK_MESSAGE_TOO_LARGE'
  /** A listen address is in use or not ours. */
  | 'NETWORK_LISTEN_FAILED'
  /** The host was not started or has been stopped. */
  | 'NETWORK_NOT_RUNNING'

/** A failure between this host and its peers; `NETWORK_UNREACHABLE` alone is worth another try. */
export class NetworkError extends NuError {
  override readonly name = 'NetworkError'
  readonly code: NetworkErrorCode
  override readonly retryable: boolean

  constructor(code: NetworkErrorCode, message: string, options: NuErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.retryable = code === 'NETWORK_UNREACHABLE'
  }
}
