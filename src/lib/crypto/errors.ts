import { NuError, type NuErrorOptions, SyntaxFault } from '../../utils/index.ts'

/** Bytes or text that are not a key, or not one that may be used: wrong length, not on the curve, of small order. */
export class KeyFormatError extends SyntaxFault {
  override readonly name = 'KeyFormatError'
  override readonly code = 'KEY_FORMAT'
}

/** What went wrong with a key file. */
export type KeyStoreErrorCode =
  /** There is no key of that name. */
  | 'KEY_NOT_FOUND'
  /** The passphrase is the empty text. */
  | 'KEY_PASSPHRASE_EMPTY'
  /** The passphrase does not open the file (or the sealed part of the file was changed). */
  | 'KEY_PASSPHRASE_WRONG'
  /** The file is not a key file, or is damaged. */
  | 'KEY_FILE_CORRUPT'
  /** A key file of another version, cipher, or with costs outside the accepted bounds. */
  | 'KEY_FILE_UNSUPPORTED'

/** A key could not be opened, saved or removed. */
export class KeyStoreError extends NuError {
  override readonly name = 'KeyStoreError'
  readonly code: KeyStoreErrorCode

  constructor(code: KeyStoreErrorCode, message: string, options: NuErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}
