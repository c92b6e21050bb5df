/** The three file descriptors a module has: standard input, output and error. There are no others and no way to open one. */

import { ERRNO, FILETYPE_CHARACTER_DEVICE, RIGHT_FD_READ, RIGHT_FD_WRITE, RIGHT_POLL } from './constants.ts'
import type { GuestMemory } from './guest-memory.ts'
import type { WasiHost } from './host.ts'

/** Entries of one scattered read or write, as in POSIX (`IOV_MAX`). */
const MAX_SPANS = 1024
/** One write takes at most this much and tells the rest back, as POSIX allows: no module can make us gather gigabytes. */
const MAX_WRITE_BYTES = 2 ** 20

export class Streams {
  readonly #memory: GuestMemory
  readonly #host: WasiHost
  readonly #isOpen = [true, true, true]
  #stdinAt = 0

  constructor(memory: GuestMemory, host: WasiHost) {
    this.#memory = memory
    this.#host = host
  }

  isOpen(fd: number): boolean {
    return this.#isOpen[fd] === true
  }

  /** Bytes of standard input still to be read. */
  get inputLeft(): number {
    return this.#host.stdin.length - this.#stdinAt
  }

  close(fd: number): number {
    if (!this.isOpen(fd)) return ERRNO.badf
    this.#isOpen[fd] = false
    return ERRNO.success
  }

  write(fd: number, spansAt: number, count: number, writtenAt: number): number {
    if (!this.isOpen(fd) || (fd !== 1 && fd !== 2)) return ERRNO.badf
    if (count >>> 0 > MAX_SPANS) return ERRNO.inval
    const parts: Uint8Array[] = []
    let size = 0
    for (const { at, length } of this.#memory.spans(spansAt, count >>> 0)) {
      const part = this.#memory.bytes(at, length).subarray(0, MAX_WRITE_BYTES - size)
      parts.push(part)
      size += part.length
    }
    const [only] = parts
    if (size > 0)
      this.#host.write(fd, parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, size))
    this.#memory.setU32(writtenAt, size)
    return ERRNO.success
  }

  read(fd: number, spansAt: number, count: number, readAt: number): number {
    if (!this.isOpen(fd) || fd !== 0) return ERRNO.badf
    if (count >>> 0 > MAX_SPANS) return ERRNO.inval
    let size = 0
    for (const { at, length } of this.#memory.spans(spansAt, count >>> 0)) {
      const part = this.#host.stdin.subarray(this.#stdinAt, this.#stdinAt + length)
      this.#memory.bytes(at, length).set(part)
      this.#stdinAt += part.length
      size += part.length
    }
    this.#memory.setU32(readAt, size)
    return ERRNO.success
  }

  /** `fdstat`: file type at 0, flags at 2, rights at 8, inherited rights at 16. A terminal's type makes libc flush line by line. */
  describe(fd: number, at: number): number {
    if (!this.isOpen(fd)) return ERRNO.badf
    this.#memory.bytes(at, 24).fill(0)
    this.#memory.setU8(at, FILETYPE_CHARACTER_DEVICE)
    this.#memory.setU64((at >>> 0) + 8, RIGHT_POLL | (fd === 0 ? RIGHT_FD_READ : RIGHT_FD_WRITE))
    return ERRNO.success
  }

  /** `filestat`: 64 bytes with the file type at 16. */
  stat(fd: number, at: number): number {
    if (!this.isOpen(fd)) return ERRNO.badf
    this.#memory.bytes(at, 64).fill(0)
    this.#memory.setU8((at >>> 0) + 16, FILETYPE_CHARACTER_DEVICE)
    return ERRNO.success
  }
}
