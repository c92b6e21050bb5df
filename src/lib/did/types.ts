import type { AbortOptions, Did } from '../../types/index.ts'
import type { PublicKey } from '../crypto/index.ts'

/** Signs for a DID: a key in memory, or a wallet that asks its owner. */
export interface Signer {
  readonly did: Did
  /** The key that verifies what is signed, where it is not in the DID itself. */
  readonly publicKey?: PublicKey | undefined
  /** May take long (a person presses a button) and may fail. */
  sign(data: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** `ledger-cli`, the program that talks to a Ledger (§2.5). */
export interface LedgerProgram {
  /**
   * Runs `ledger-cli <action> -o <file> <words…>` and gives back what it wrote into the file.
   * @throws WalletError `WALLET_PROGRAM_MISSING`, `WALLET_PROGRAM_FAILED`, `WALLET_ANSWER_UNREADABLE`
   */
  run(action: 'key' | 'sign', words: readonly string[], options?: AbortOptions): Promise<Uint8Array>
}

/** `eternl-cli`, the program that talks to a Cardano wallet (§2.6). */
export interface EternlProgram {
  /** Runs `eternl-cli <hex>` and gives back what it printed. @throws WalletError as `LedgerProgram` */
  run(hex: string, options?: AbortOptions): Promise<Uint8Array>
}
