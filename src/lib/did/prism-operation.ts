/**
 * Creating a PRISM DID (did:prism method specification, §"Create DID"; messages of prism.proto and prism-ssi.proto). A DID
 * is the hash of the operation that creates it, so it is known before anything is published; the operation counts once a
 * node has put it on the ledger.
 */

import { createHash } from 'node:crypto'
import type { Did } from '../../types/index.ts'
import { concatBytes, utf8ToBytes } from '../../utils/index.ts'
import type { PrivateKey } from '../crypto/index.ts'

/** What a key of the DID is for (`KeyUsage` of prism-ssi.proto). */
type PrismKeyUsage = 'master' | 'authentication'

const USAGES: Readonly<Record<PrismKeyUsage, number>> = { master: 1, authentication: 4 }

/** Names of curves as the ledger has them. */
const CURVES = { Secp256k1: 'secp256k1', Ed25519: 'Ed25519' } as const

/** Id of the key that may change the DID, and of the one that signs for it. */
const MASTER_ID = 'master-0'
const AUTHENTICATION_ID = 'authentication-0'

/** The operation that creates a DID with two keys. `master` must be of secp256k1, as the method demands. */
export function createPrismOperation(keys: {
  readonly master: PrivateKey
  readonly authentication: PrivateKey
}): Uint8Array {
  const created = concatBytes(
    message(2, publicKey(MASTER_ID, 'master', keys.master)),
    message(2, publicKey(AUTHENTICATION_ID, 'authentication', keys.authentication))
  )
  // PrismOperation.create_did.did_data
  return message(1, message(1, created))
}

/** The DID an operation creates, in its short form. */
export function didOfPrismOperation(operation: Uint8Array): Did {
  return `did:prism:${createHash('sha256').update(operation).digest('hex')}` as Did // built as the method says
}

/** The operation with the master key's signature, as it is submitted. */
export function signPrismOperation(operation: Uint8Array, master: PrivateKey): Uint8Array {
  return concatBytes(
    message(1, utf8ToBytes(MASTER_ID)),
    message(2, master.sign(operation)),
    message(3, operation)
  )
}

/** `PublicKey` with `CompressedECKeyData`. */
function publicKey(id: string, usage: PrismKeyUsage, key: PrivateKey): Uint8Array {
  const data = concatBytes(message(1, utf8ToBytes(CURVES[key.type])), message(2, key.publicKey.raw))
  return concatBytes(message(1, utf8ToBytes(id)), Uint8Array.of(0x10, USAGES[usage]), message(9, data))
}

/** A field with a length: text, bytes or a message (protobuf wire type 2). */
function message(field: number, content: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of((field << 3) | 2), varint(content.length), content)
}

function varint(value: number): Uint8Array {
  return value < 0x80 ? Uint8Array.of(value) : Uint8Array.of((value & 0x7f) | 0x80, value >> 7) // below 16 KiB
}
