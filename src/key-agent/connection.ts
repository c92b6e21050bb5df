/** One connection to the agent: questions are answered in turn, slow and chattering clients are cut off. */

import type { Socket } from 'node:net'
import type { Clock, Timer } from '../types/index.ts'
import { FRAME_TIMEOUT_MS, MAX_WAITING_LINES, QUIET_TIMEOUT_MS } from './constants.ts'
import { KeyAgentError } from './errors.ts'
import { FrameReader } from './frames.ts'
import { type AgentRequest, formatFailure, parseRequest } from './protocol.ts'

/** The line of an answer, and what happens when it has left. */
export interface Answer {
  readonly line: string
  readonly after?: () => void
}

export interface ConnectionDeps {
  readonly clock: Clock
  readonly socket: Socket
  /** The signal fires when the client is gone. Rejects with what is then told to the client. */
  readonly answer: (request: AgentRequest, signal: AbortSignal) => Promise<Answer>
}

export class Connection implements Disposable {
  readonly #deps: ConnectionDeps
  readonly #reader = new FrameReader()
  readonly #gone = new AbortController()
  readonly #lines: string[] = []
  #isWorking = false
  #timer: Timer | undefined

  constructor(deps: ConnectionDeps) {
    this.#deps = deps
  }

  /** Begins to listen. Called once. */
  start(): void {
    const { socket } = this.#deps
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this[Symbol.dispose]())
    this.#arm(QUIET_TIMEOUT_MS)
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel()
    this.#lines.length = 0
    this.#reader.clear()
    this.#gone.abort()
    this.#deps.socket.destroy()
  }

  #take(chunk: Buffer): void {
    const wasInside = this.#reader.isInside
    try {
      this.#lines.push(...this.#reader.push(chunk))
      if (this.#lines.length > MAX_WAITING_LINES) {
        throw new KeyAgentError('KEY_AGENT_REFUSED', 'more is asked at once than the agent takes')
      }
    } catch (error) {
      this.#refuse(error)
      return
    }
    // Counted from the first byte, so that one byte now and then does not hold the connection.
    if (this.#reader.isInside && !wasInside) this.#arm(FRAME_TIMEOUT_MS)
    void this.#work()
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return
    this.#isWorking = true
    const { socket } = this.#deps
    for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
      if (!this.#reader.isInside) this.#timer?.cancel() // an unlock may take long
      let request: AgentRequest
      try {
        request = parseRequest(line)
      } catch (error) {
        return this.#refuse(error)
      }
      const reply = await this.#reply(request)
      // Not before it has left: whoever does not read the answers gets no more of them.
      await new Promise<void>(resolve => socket.write(`${reply.line}\n`, () => resolve()))
      reply.after?.()
      if (!this.#reader.isInside) this.#arm(QUIET_TIMEOUT_MS)
    }
    this.#isWorking = false
  }

  async #reply(request: AgentRequest): Promise<Answer> {
    try {
      return await this.#deps.answer(request, this.#gone.signal)
    } catch (error) {
      return { line: formatFailure(error) }
    }
  }

  /** Says why and hangs up: what follows on this connection cannot be trusted to begin where it should. */
  #refuse(error: unknown): void {
    this.#lines.length = 0
    this.#deps.socket.removeAllListeners('data').end(`${formatFailure(error)}\n`)
    this.#arm(FRAME_TIMEOUT_MS)
  }

  #arm(ms: number): void {
    this.#timer?.cancel()
    if (!this.#gone.signal.aborted) this.#timer = this.#deps.clock.setTimer(ms, () => this[Symbol.dispose]())
  }
}
