/** The frame of a message on its stream: 8 bytes of length, unsigned little endian, then the payload (runtime §1.6). */

import { SyntaxFault } from '../../utils/index.ts'
import { MAX_MESSAGE_BYTES, MESSAGE_HEADER_BYTES } from '../constants.ts'

/** First piece of memory for a payload; it grows with the bytes that came, never with the length a peer claims. */
const FIRST_PIECE_BYTES = 4096

/** Header and payload in one piece, so that they leave in one write. */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(MESSAGE_HEADER_BYTES + payload.length)
  new DataView(frame.buffer).setBigUint64(0, BigInt(payload.length), true)
  frame.set(payload, MESSAGE_HEADER_BYTES)
  return frame
}

/** Puts one frame together from pieces of any size. */
export class FrameReader {
  readonly #header = new Uint8Array(MESSAGE_HEADER_BYTES)
  #received = 0
  #payload = new Uint8Array(0)
  #length: number | undefined

  /** Bytes taken so far, header included. */
  get received(): number {
    return this.#received
  }

  /**
   * Takes the next piece; answers the payload once it is whole. The reader keeps no reference to `piece`.
   * @throws SyntaxFault when the claimed length is over the limit, or when more comes than was claimed.
   */
  push(piece: Uint8Array): Uint8Array | undefined {
    const headerPart = piece.subarray(0, Math.max(0, MESSAGE_HEADER_BYTES - this.#received))
    this.#header.set(headerPart, Math.min(this.#received, MESSAGE_HEADER_BYTES))
    this.#received += headerPart.length
    if (this.#received < MESSAGE_HEADER_BYTES) return undefined
    this.#length ??= readLength(this.#header)
    this.#append(piece.subarray(headerPart.length), this.#length)
    return this.#received === MESSAGE_HEADER_BYTES + this.#length
      ? this.#payload.subarray(0, this.#length)
      : undefined
  }

  #append(piece: Uint8Array, length: number): void {
    const offset = this.#received - MESSAGE_HEADER_BYTES
    const end = offset + piece.length
    if (end > length) throw new SyntaxFault(`message has more than the ${length} bytes it announced`)
    if (end > this.#payload.length) {
      const grown = new Uint8Array(
        Math.min(length, Math.max(end, this.#payload.length * 2, FIRST_PIECE_BYTES))
      )
      grown.set(this.#payload.subarray(0, offset))
      this.#payload = grown
    }
    this.#payload.set(piece, offset)
    this.#received += piece.length
  }
}

function readLength(header: Uint8Array): number {
  const length = new DataView(header.buffer).getBigUint64(0, true)
  if (length > BigInt(MAX_MESSAGE_BYTES)) {
    throw new SyntaxFault(`message announces ${length} bytes, at most ${MAX_MESSAGE_BYTES} are taken`)
  }
  return Number(length)
}
