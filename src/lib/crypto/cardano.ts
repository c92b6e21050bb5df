/**
 * Cardano wallet keys (§2.6): Ed25519 over the `Sig_structure` of a COSE_Sign1 message (RFC 9052 §4.4). The payload
 * inside the message is ignored; the structure is rebuilt over the data that should have been signed.
 */

import type { KeyObject } from 'node:crypto'
import { concatBytes, utf8ToBytes } from '../../utils/index.ts'
import { checkPoint, importEd25519, verifyEd25519 } from './ed25519.ts'
import type { PublicKey } from './types.ts'

/** Nesting and size bounds for a message of a wallet; real ones have depth 2 and about 200 bytes. */
const MAX_CBOR_DEPTH = 8
const MAX_MESSAGE_LENGTH = 8192

/** A key from its 32 raw bytes. @throws KeyFormatError as for Ed25519. */
export function cardanoPublicKey(raw: Uint8Array): PublicKey {
  checkPoint(raw)
  return new CardanoPublicKey(raw.slice())
}

class CardanoPublicKey implements PublicKey {
  readonly type = 'Cardano'
  readonly raw: Uint8Array
  #key: KeyObject | undefined

  constructor(raw: Uint8Array) {
    this.raw = raw
  }

  verify(data: Uint8Array, message: Uint8Array): boolean {
    const parts = readSign1(message)
    if (parts === undefined) return false
    this.#key ??= importEd25519(this.raw)
    return verifyEd25519(this.#key, sigStructure(parts.protectedHeader, data), parts.signature)
  }
}

/** CBOR of `["Signature1", protected, h'', data]`. */
function sigStructure(protectedHeader: Uint8Array, data: Uint8Array): Uint8Array {
  const context = utf8ToBytes('Signature1')
  return concatBytes(
    Uint8Array.of(0x84),
    cborHead(3, context.length),
    context,
    cborHead(2, protectedHeader.length),
    protectedHeader,
    cborHead(2, 0),
    cborHead(2, data.length),
    data
  )
}

function cborHead(major: number, length: number): Uint8Array {
  if (length < 24) return Uint8Array.of((major << 5) | length)
  if (length < 0x100) return Uint8Array.of((major << 5) | 24, length)
  if (length < 0x1_0000) return Uint8Array.of((major << 5) | 25, length >> 8, length & 0xff)
  const head = new Uint8Array(5)
  head[0] = (major << 5) | 26
  new DataView(head.buffer).setUint32(1, length)
  return head
}

/** Reads `[protected, unprotected, payload, signature]`, untagged as wallets send it or with COSE tag 18. */
function readSign1(message: Uint8Array): { protectedHeader: Uint8Array; signature: Uint8Array } | undefined {
  if (message.length > MAX_MESSAGE_LENGTH) return undefined
  const start = message[0] === 0xd2 ? 1 : 0
  if (message[start] !== 0x84) return undefined
  const header = readItem(message, start + 1, 0)
  const unprotected = header && readItem(message, header.end, 0)
  const payload = unprotected && readItem(message, unprotected.end, 0)
  const signature = payload && readItem(message, payload.end, 0)
  if (!header?.bytes || !signature?.bytes || signature.end !== message.length) return undefined
  return { protectedHeader: header.bytes, signature: signature.bytes }
}

interface Item {
  readonly end: number
  /** Content of a byte string; `undefined` for every other kind. */
  readonly bytes: Uint8Array | undefined
}

/** Steps over one CBOR item of definite length (RFC 8949 §3). `undefined` when malformed or too deep. */
function readItem(message: Uint8Array, at: number, depth: number): Item | undefined {
  const head = readHead(message, at)
  if (head === undefined || depth > MAX_CBOR_DEPTH) return undefined
  const { major, argument, end } = head
  if (major === 2 || major === 3) {
    if (end + argument > message.length) return undefined
    return { end: end + argument, bytes: major === 2 ? message.subarray(end, end + argument) : undefined }
  }
  const children = major === 4 ? argument : major === 5 ? argument * 2 : major === 6 ? 1 : 0
  if (children > message.length) return undefined
  let next = end
  for (let index = 0; index < children; index++) {
    const child = readItem(message, next, depth + 1)
    if (child === undefined) return undefined
    next = child.end
  }
  return { end: next, bytes: undefined }
}

function readHead(
  message: Uint8Array,
  at: number
): { major: number; argument: number; end: number } | undefined {
  const first = message[at]
  if (first === undefined) return undefined
  const major = first >> 5
  const short = first & 31
  if (short < 24) return { major, argument: short, end: at + 1 }
  if (short > 27) return undefined
  const length = 1 << (short - 24)
  if (at + 1 + length > message.length) return undefined
  let argument = 0
  for (let index = 0; index < length; index++) argument = argument * 256 + Number(message[at + 1 + index])
  return { major, argument, end: at + 1 + length }
}
