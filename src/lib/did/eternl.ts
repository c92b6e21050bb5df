/** Signing with a Cardano wallet through `eternl-cli` (§2.6): COSE_Sign1 messages (RFC 9052) by an Ed25519 key. */

import type { AbortOptions } from '../../types/index.ts'
import { bytesEqual, bytesToHex, errorMessage, utf8ToBytes } from '../../utils/index.ts'
import { type PublicKey, publicKeyFromRaw } from '../crypto/index.ts'
import { didOf } from './did-key.ts'
import type { EternlProgram, Signer } from './types.ts'
import { readAnswerHex, readAnswerText, walletFault } from './wallet-answer.ts'

/** Name of the program, looked up in PATH. */
export const ETERNL_PROGRAM = 'eternl-cli'

/** What the wallet signs to show its key: a wallet has no other way to say it. */
const PROBE = utf8ToBytes('get_pubkey')

const RAW_KEY_LENGTH = 32

/**
 * A COSE_Key of Ed25519 (RFC 9053 §7.2) as wallets write it, up to the 32 bytes of x: a map with kty 1 (OKP), then
 * alg -8 (EdDSA) or nothing, crv 6 (Ed25519) and x.
 */
const COSE_KEY_HEADS: readonly string[] = ['a4010103272006215820', 'a301012006215820']

/**
 * Has the wallet show its key and signs with it from then on. Each signature waits for a person; each is checked
 * against the key. @throws WalletError
 */
export async function openEternl(program: EternlProgram, options: AbortOptions = {}): Promise<Signer> {
  const probe = await ask(program, PROBE, options)
  const { key } = probe
  return {
    did: didOf(key),
    async sign(data) {
      const { key: used, signature } = await ask(program, data, options)
      if (bytesEqual(used.raw, key.raw)) return signature
      throw walletFault('WALLET_KEY_DIFFERS', ETERNL_PROGRAM, `signed with another key than ${didOf(key)}`)
    }
  }
}

interface Answer {
  readonly key: PublicKey
  readonly signature: Uint8Array
}

async function ask(program: EternlProgram, data: Uint8Array, options: AbortOptions): Promise<Answer> {
  const text = readAnswerText(ETERNL_PROGRAM, await program.run(bytesToHex(data), options))
  const key = readKey(readField(text, 'PubKeyRaw'))
  const signature = readField(text, 'Signature')
  if (key.verify(data, signature)) return { key, signature }
  throw walletFault(
    'WALLET_SIGNATURE_INVALID',
    ETERNL_PROGRAM,
    'gave a signature that does not belong to the key beside it'
  )
}

/** `<name>:[<hex>]`, anywhere in what the program printed. */
function readField(text: string, name: string): Uint8Array {
  const found = new RegExp(`${name}:\\[([^\\]\\n]*)\\]`).exec(text)?.[1]
  if (found !== undefined) return readAnswerHex(ETERNL_PROGRAM, name, found)
  throw walletFault('WALLET_ANSWER_UNREADABLE', ETERNL_PROGRAM, `printed no '${name}:[…]'`)
}

/** 32 raw bytes, or a COSE_Key. */
function readKey(bytes: Uint8Array): PublicKey {
  const raw = bytes.subarray(-RAW_KEY_LENGTH)
  const head = bytesToHex(bytes.subarray(0, -RAW_KEY_LENGTH))
  try {
    if (bytes.length === RAW_KEY_LENGTH || COSE_KEY_HEADS.includes(head))
      return publicKeyFromRaw('Cardano', raw)
  } catch (cause) {
    throw walletFault(
      'WALLET_KEY_INVALID',
      ETERNL_PROGRAM,
      `showed an unusable key: ${errorMessage(cause)}`,
      cause
    )
  }
  throw walletFault(
    'WALLET_KEY_INVALID',
    ETERNL_PROGRAM,
    'showed a key that is neither 32 bytes nor a COSE key of Ed25519'
  )
}
