/**
 * Signatures of Ethereum wallets and the Ledger: ECDSA over Keccak-256 of the personal message (§2.5). OpenSSL as Node
 * builds it does not offer that hash on every release, so this takes the audited noble libraries, loaded at the first
 * such key: nobody else pays for them.
 */

import { createRequire } from 'node:module'
import { concatBytes, utf8ToBytes } from '../../utils/index.ts'

type Verify = (signature: Uint8Array, hash: Uint8Array, publicKey: Uint8Array) => boolean

interface Noble {
  readonly keccak256: (data: Uint8Array) => Uint8Array
  readonly verify: Verify
}

let noble: Noble | undefined

/** Whether a wallet signed `data`. The signature is strict DER, checked by the caller; either s is taken (§12.7). */
export function verifyPersonalMessage(
  data: Uint8Array,
  signature: Uint8Array,
  publicKey: Uint8Array
): boolean {
  noble ??= loadNoble()
  return noble.verify(signature, noble.keccak256(personalMessage(data)), publicKey)
}

/** What an Ethereum wallet signs for `data` (EIP-191, version `E`). */
function personalMessage(data: Uint8Array): Uint8Array {
  return concatBytes(utf8ToBytes(`\u0019Ethereum Signed Message:\n${data.length}`), data)
}

/** Verification is synchronous, so the modules are required rather than imported. */
function loadNoble(): Noble {
  const load = createRequire(import.meta.url)
  const { keccak_256 }: typeof import('@noble/hashes/sha3.js') = load('@noble/hashes/sha3.js')
  const { secp256k1 }: typeof import('@noble/curves/secp256k1.js') = load('@noble/curves/secp256k1.js')
  return {
    keccak256: keccak_256,
    // Cannot throw: the point and the strict form of the signature were checked before.
    verify: (signature, hash, publicKey) =>
      secp256k1.verify(signature, hash, publicKey, { prehash: false, lowS: false, format: 'der' })
  }
}
