import { SyntaxFault } from '../../utils/index.ts'

/** Text that is not a DID, or a DID whose key cannot be found in it. */
export class DidError extends SyntaxFault {
  override readonly name = 'DidError'
  override readonly code = 'DID_INVALID'
}
