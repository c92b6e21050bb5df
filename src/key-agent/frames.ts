import { MAX_FRAME_LENGTH } from './constants.ts'
import { KeyAgentError } from './errors.ts'

const LINE_END = 0x0a

/**
 * Cuts a stream into lines of bounded length. What was read is wiped from the buffers it came in: a line may hold a
 * passphrase. (The text made of it lies in the heap of the program until that is collected; JavaScript cannot wipe it.)
 */
export class FrameReader {
  #parts: Uint8Array[] = []
  #length = 0

  /** Whether a line was begun that is not complete. */
  get isInside(): boolean {
    return this.#length > 0
  }

  /** Takes what arrived; the lines that are complete now. @throws KeyAgentError for a line that is too long. */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = []
    let start = 0
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, start)) {
      this.#add(chunk.subarray(start, end))
      lines.push(this.#take())
      start = end + 1
    }
    if (start < chunk.length) this.#add(chunk.subarray(start))
    chunk.fill(0)
    return lines
  }

  /** Forgets what was begun. */
  clear(): void {
    for (const part of this.#parts) part.fill(0)
    this.#parts = []
    this.#length = 0
  }

  #add(part: Uint8Array): void {
    this.#length += part.length
    if (this.#length > MAX_FRAME_LENGTH) {
      this.clear()
      throw new KeyAgentError('KEY_AGENT_REFUSED', `a line is longer than ${MAX_FRAME_LENGTH} bytes`)
    }
    this.#parts.push(part.slice())
  }

  #take(): string {
    const line = Buffer.concat(this.#parts, this.#length)
    // What is not UTF-8 becomes a mark that no JSON of the protocol holds outside of texts; names and passphrases are compared, not run.
    const text = line.toString('utf8')
    line.fill(0)
    this.clear()
    return text
  }
}
