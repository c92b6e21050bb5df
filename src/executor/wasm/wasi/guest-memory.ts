/** The module's memory as the host sees it: every address comes from the module and may be a lie. */

/** An address outside of the memory; becomes the error number EFAULT. */
export class GuestFault extends Error {
  override readonly name = 'GuestFault'
}

/** A piece of the module's memory. */
export interface Span {
  readonly at: number
  readonly length: number
}

export class GuestMemory {
  readonly #memory: () => WebAssembly.Memory

  /** `memory` is asked each time: the buffer changes whenever the module's memory grows. */
  constructor(memory: () => WebAssembly.Memory) {
    this.#memory = memory
  }

  /** The bytes of a span, in place. */
  bytes(at: number, length: number): Uint8Array<ArrayBuffer> {
    const { buffer } = this.#memory()
    // Numbers of the module are 32-bit; JavaScript sees the upper half of them as negative.
    const start = at >>> 0
    const size = length >>> 0
    if (!(buffer instanceof ArrayBuffer) || start + size > buffer.byteLength)
      throw new GuestFault('address out of bounds')
    return new Uint8Array(buffer, start, size)
  }

  u8(at: number): number {
    return this.#view(at, 1).getUint8(0)
  }

  u16(at: number): number {
    return this.#view(at, 2).getUint16(0, true)
  }

  u32(at: number): number {
    return this.#view(at, 4).getUint32(0, true)
  }

  u64(at: number): bigint {
    return this.#view(at, 8).getBigUint64(0, true)
  }

  setU8(at: number, value: number): void {
    this.#view(at, 1).setUint8(0, value)
  }

  setU16(at: number, value: number): void {
    this.#view(at, 2).setUint16(0, value, true)
  }

  setU32(at: number, value: number): void {
    this.#view(at, 4).setUint32(0, value, true)
  }

  setU64(at: number, value: bigint): void {
    this.#view(at, 8).setBigUint64(0, BigInt.asUintN(64, value), true)
  }

  /** A list of `iovec`: address and length, 4 bytes each. */
  spans(at: number, count: number): Span[] {
    return Array.from({ length: count }, (_, index) => ({
      at: this.u32((at >>> 0) + index * 8),
      length: this.u32((at >>> 0) + index * 8 + 4)
    }))
  }

  #view(at: number, length: number): DataView {
    const bytes = this.bytes(at, length)
    return new DataView(bytes.buffer, bytes.byteOffset, length)
  }
}
