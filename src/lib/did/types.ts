import type { Did } from '../../types/index.ts'

/** Signs for a DID: a key in memory, or a wallet that asks its owner. */
export interface Signer {
  readonly did: Did
  /** May take long (a person presses a button) and may fail. */
  sign(data: Uint8Array): Uint8Array | Promise<Uint8Array>
}
