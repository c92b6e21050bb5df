import { NuError, type NuErrorOptions } from '../../utils/index.ts'

/** What went wrong; refusals of tokens are not errors, see `docs` of `verifyToken`. */
export type CapabilityErrorCode =
  /** A capability file cannot be read. */
  | 'UCAN_FILE_CORRUPT'
  /** A capability file is sealed, and no key was given to open it. */
  | 'UCAN_FILE_SEALED'
  /** A capability file was sealed by a later version of this program. */
  | 'UCAN_FILE_UNSUPPORTED'
  /** A capability file would become longer than what is read. It stays as it was. */
  | 'UCAN_FILE_FULL'
  /** The key cannot seal a capability file: one of a wallet, or one whose signatures differ each time. */
  | 'UCAN_SEAL_UNSUPPORTED'
  /** There is no capability context of that name. */
  | 'UCAN_FILE_MISSING'
  /** The signer or the file belongs to another DID than the context. */
  | 'UCAN_WRONG_OWNER'
  /** The context was made without a signer and cannot issue tokens. */
  | 'UCAN_NO_SIGNER'
  /** The signer gave a signature that its DID does not verify. */
  | 'UCAN_SIGNER_FAILED'
  /** A token was asked for that must not be issued. */
  | 'UCAN_INVALID_REQUEST'

/** A fault of the caller, the file or the signer. Verdicts about tokens are refusals instead. */
export class CapabilityError extends NuError {
  override readonly name = 'CapabilityError'
  readonly code: CapabilityErrorCode

  constructor(code: CapabilityErrorCode, message: string, options: NuErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}
