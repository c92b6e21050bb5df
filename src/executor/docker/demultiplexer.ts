/**
 * Splits the engine's multiplexed output (Docker Engine API, "Attach to a container"): frames of an 8-byte
 * header, `[stream, 0, 0, 0, length as 32-bit big-endian]`, and a payload. Payloads are passed on as they come,
 * so memory does not depend on the length a header claims.
 */

const HEADER_BYTES = 8

export type OutputStream = 'stdout' | 'stderr'

export interface OutputPart {
  readonly stream: OutputStream
  readonly bytes: Buffer
}

export class Demultiplexer {
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerLength = 0
  #payloadLeft = 0
  #stream: OutputStream = 'stdout'

  /** Payload in a chunk, in order. @throws Error for bytes that are no frame. */
  push(chunk: Buffer): OutputPart[] {
    const parts: OutputPart[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.#payloadLeft === 0) {
        at += this.#readHeader(chunk, at)
        continue
      }
      const bytes = chunk.subarray(at, at + this.#payloadLeft)
      parts.push({ stream: this.#stream, bytes })
      this.#payloadLeft -= bytes.length
      at += bytes.length
    }
    return parts
  }

  #readHeader(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#header, this.#headerLength, at, at + HEADER_BYTES - this.#headerLength)
    this.#headerLength += taken
    if (this.#headerLength === HEADER_BYTES) {
      const [kind, ...zeros] = this.#header.subarray(0, 4)
      if (kind === undefined || kind > 2 || zeros.some(byte => byte !== 0)) {
        throw new Error('output of docker is not in its multiplexed form')
      }
      this.#stream = kind === 2 ? 'stderr' : 'stdout'
      this.#payloadLeft = this.#header.readUInt32BE(4)
      this.#headerLength = 0
    }
    return taken
  }
}
