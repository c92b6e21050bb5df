/** Signing with a Ledger through `ledger-cli` (§2.5): Ethereum app, personal-message signing. */

import type { AbortOptions } from '../../types/index.ts'
import { bytesToHex, errorMessage } from '../../utils/index.ts'
import { isEcdsaNumber, type PublicKey, publicKeyFromPoint, writeDerSignature } from '../crypto/index.ts'
import { didOf } from './did-key.ts'
import type { LedgerProgram, Signer } from './types.ts'
import { readAnswerHex, readAnswerJson, readAnswerMember, walletFault } from './wallet-answer.ts'

/** Name of the program, looked up in PATH. */
export const LEDGER_PROGRAM = 'ledger-cli'

/** Highest account: the index of a hardened BIP-32 path. */
export const MAX_LEDGER_ACCOUNT = 2 ** 31 - 1

/**
 * Asks a Ledger for the key of an account and signs with it from then on. The signal holds for both: each signature
 * waits for a person. Every signature is checked against the key, so another device or account is noticed at once.
 * @throws WalletError
 */
export async function openLedger(
  program: LedgerProgram,
  { account }: { account: number },
  options: AbortOptions = {}
): Promise<Signer> {
  const words = ['-a', String(account)]
  const key = readKey(await program.run('key', words, options))
  return {
    did: didOf(key),
    async sign(data) {
      const signature = readSignature(await program.run('sign', [...words, bytesToHex(data)], options))
      if (key.verify(data, signature)) return signature
      throw walletFault(
        'WALLET_KEY_DIFFERS',
        LEDGER_PROGRAM,
        `signed with another key than that of account ${account} (${didOf(key)})`
      )
    }
  }
}

/** `{"key":"<hex>","address":"<hex>"}`, the key in any SEC 1 form. */
function readKey(answer: Uint8Array): PublicKey {
  const text = readAnswerMember(LEDGER_PROGRAM, readAnswerJson(LEDGER_PROGRAM, answer), ['key'])
  const point = readAnswerHex(LEDGER_PROGRAM, 'the key', text)
  try {
    return publicKeyFromPoint('Eth', point)
  } catch (cause) {
    throw walletFault(
      'WALLET_KEY_INVALID',
      LEDGER_PROGRAM,
      `showed an unusable key: ${errorMessage(cause)}`,
      cause
    )
  }
}

/** `{"ecdsa":{"v":27,"r":"<hex>","s":"<hex>"}}` as DER with low s; `v` is dropped. */
function readSignature(answer: Uint8Array): Uint8Array {
  const value = readAnswerJson(LEDGER_PROGRAM, answer)
  return writeDerSignature(readNumber(value, 'r'), readNumber(value, 's'))
}

function readNumber(value: unknown, name: 'r' | 's'): bigint {
  const text = readAnswerMember(LEDGER_PROGRAM, value, ['ecdsa', name])
  const bytes = readAnswerHex(LEDGER_PROGRAM, `the number ${name}`, text)
  const number = BigInt(`0x0${bytesToHex(bytes)}`)
  if (isEcdsaNumber(number)) return number
  throw walletFault(
    'WALLET_SIGNATURE_INVALID',
    LEDGER_PROGRAM,
    `gave a signature whose ${name} is out of range`
  )
}
