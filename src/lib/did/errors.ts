import { NuError, type NuErrorOptions, SyntaxFault } from '../../utils/index.ts'

/** Text that is not a DID, or a DID whose key cannot be found in it. */
export class DidError extends SyntaxFault {
  override readonly name = 'DidError'
  override readonly code = 'DID_INVALID'
}

/** Why the key of a DID could not be fetched. */
export type DidResolutionErrorCode =
  /** No resolver is configured, or none knows the method of this DID. */
  | 'DID_NO_RESOLVER'
  /** The key was not fetched yet: verification never waits. */
  | 'DID_NOT_RESOLVED'
  /** The resolver does not answer, or answers with another status than 200. */
  | 'DID_UNREACHABLE'
  /** What the resolver sent is no DID document of this DID. */
  | 'DID_DOCUMENT_INVALID'
  /** The document holds no key of a kind that is understood. */
  | 'DID_NO_KEY'

/** The key of a DID that must be looked up is not to be had. */
export class DidResolutionError extends NuError {
  override readonly name = 'DidResolutionError'
  readonly code: DidResolutionErrorCode
  override readonly retryable: boolean

  constructor(code: DidResolutionErrorCode, message: string, options: NuErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.retryable = code === 'DID_UNREACHABLE' || code === 'DID_NOT_RESOLVED'
  }
}

/** What went wrong with a wallet. */
export type WalletErrorCode =
  /** The program that talks to the wallet is not installed. */
  | 'WALLET_PROGRAM_MISSING'
  /** The program could not do it: no device, the person said no, another account. */
  | 'WALLET_PROGRAM_FAILED'
  /** The program's answer cannot be found or read. */
  | 'WALLET_ANSWER_UNREADABLE'
  /** Bytes in the answer are not hexadecimal. */
  | 'WALLET_ANSWER_NOT_HEX'
  /** The public key in the answer is none. */
  | 'WALLET_KEY_INVALID'
  /** r or s of the signature lies outside of its range, or the signature is malformed. */
  | 'WALLET_SIGNATURE_INVALID'
  /** The signature does not belong to the key the wallet showed before. */
  | 'WALLET_KEY_DIFFERS'

/** A wallet did not show its key or did not sign. */
export class WalletError extends NuError {
  override readonly name = 'WalletError'
  readonly code: WalletErrorCode

  constructor(code: WalletErrorCode, message: string, options: NuErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}
