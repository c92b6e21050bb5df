/**
 * A command's side of the agent. One connection serves the whole command and does not keep the process alive; when
 * the agent has closed it meanwhile, another is opened. Before a passphrase is sent the kernel is asked who listens.
 */

import type { Socket } from 'node:net'
import { publicKeyOfDid, type Signer } from '../lib/did/index.ts'
import type { AbortOptions, Clock } from '../types/index.ts'
import { deadline, errorCode, errorMessage, Mutex, raceSignal, TimeLimitError } from '../utils/index.ts'
import { ANSWER_TIMEOUT_MS, UNLOCK_TIMEOUT_MS } from './constants.ts'
import { KeyAgentError } from './errors.ts'
import { FrameReader } from './frames.ts'
import { connectTo } from './probe.ts'
import { type AgentAnswers, type AgentRequest, formatRequest, parseAnswer } from './protocol.ts'
import type { HeldKeyStatus, KeyAgentStatus, SystemGuard } from './types.ts'

/** Which key the agent is to open. */
export interface UnlockRequest {
  readonly name: string
  readonly passphrase: string
  /** Shorter than the agent's own limit. Milliseconds. */
  readonly lifetimeMs?: number | undefined
}

/** Asks an agent. Questions wait for one another; each has a time limit. */
export class KeyAgentClient implements Disposable {
  readonly #clock: Clock
  readonly #path: string
  readonly #turn = new Mutex()
  #socket: Socket | undefined

  /** `path`: of a socket that `findSocket` trusts. Nothing happens before the first question. */
  constructor({ clock }: { clock: Clock }, { path }: { path: string }) {
    this.#clock = clock
    this.#path = path
  }

  [Symbol.dispose](): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  /** @throws KeyAgentError */
  async status(options: AbortOptions = {}): Promise<KeyAgentStatus> {
    return await this.#ask('status', { op: 'status' }, options)
  }

  /** Drops keys, all without names; the names of those that were held. @throws KeyAgentError */
  async lock(names: readonly string[] | undefined, options: AbortOptions = {}): Promise<readonly string[]> {
    return (await this.#ask('lock', { op: 'lock', names }, options)).names
  }

  /** Ends the agent; resolves when it listens no more. @throws KeyAgentError */
  async stop(options: AbortOptions = {}): Promise<void> {
    await this.#ask('stop', { op: 'stop' }, options)
    const socket = this.#socket
    if (socket === undefined) return
    using limit = deadline(this.#clock, ANSWER_TIMEOUT_MS, 'the end of the key agent', options.signal)
    const ended = new Promise<void>(resolve => socket.ref().once('close', () => resolve()))
    await raceSignal(ended, limit.signal)
  }

  /** Has a key opened. @throws KeyAgentError `KEY_AGENT_UNSAFE` when the socket is not this user's, KeyStoreError */
  async unlock(
    guard: SystemGuard,
    request: UnlockRequest,
    { signal }: AbortOptions = {}
  ): Promise<HeldKeyStatus> {
    return await this.#turn.run(async () => {
      const socket = await this.#open()
      // The kernel's word on who listens, not the file's: a program of somebody else must not get the passphrase.
      if (guard.peerUid(socket) !== process.getuid?.()) {
        this[Symbol.dispose]()
        throw new KeyAgentError(
          'KEY_AGENT_UNSAFE',
          'what listens on the socket of the key agent is not yours; no passphrase was sent',
          { hint: `find out who made '${this.#path}', and remove it` }
        )
      }
      const line = await this.#exchange(socket, { op: 'unlock', ...request }, UNLOCK_TIMEOUT_MS, signal)
      return parseAnswer('unlock', line)
    })
  }

  /** Signs with a key the agent holds; `undefined` when it is locked. @throws KeyAgentError */
  async signer(name: string, options: AbortOptions = {}): Promise<Signer | undefined> {
    try {
      const { did } = await this.#ask('find', { op: 'find', name }, options)
      const publicKey = publicKeyOfDid(did)
      return {
        did,
        sign: async data => {
          const { signature } = await this.#ask('sign', { op: 'sign', name, did, data }, options)
          if (publicKey.verify(data, signature)) return signature
          throw new KeyAgentError('KEY_AGENT_FAILED', `the key agent gave a wrong signature for ${did}`, {
            hint: "stop it with 'nunet key agent --stop', and find out what listens there"
          })
        }
      }
    } catch (error) {
      if (errorCode(error) === 'KEY_AGENT_LOCKED') return undefined
      throw error
    }
  }

  async #ask<Op extends keyof AgentAnswers>(
    op: Op,
    request: AgentRequest,
    { signal }: AbortOptions
  ): Promise<AgentAnswers[Op]> {
    return await this.#turn.run(async () => {
      const isUsed = this.#socket !== undefined
      try {
        return parseAnswer(op, await this.#exchange(await this.#open(), request, ANSWER_TIMEOUT_MS, signal))
      } catch (error) {
        // Closed for having been quiet, at the very moment it was used again.
        if (!isUsed || !(error instanceof ConnectionEnd)) throw error
        return parseAnswer(op, await this.#exchange(await this.#open(), request, ANSWER_TIMEOUT_MS, signal))
      }
    })
  }

  async #open(): Promise<Socket> {
    if (this.#socket !== undefined) return this.#socket
    const socket = await connectTo(this.#path)
    this.#socket = socket
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      if (this.#socket === socket) this.#socket = undefined
    })
    return socket.unref()
  }

  /** One question and the line of its answer. Whatever goes wrong, the connection is not used again. */
  async #exchange(
    socket: Socket,
    request: AgentRequest,
    timeoutMs: number,
    parent: AbortSignal | undefined
  ): Promise<string> {
    using limit = deadline(this.#clock, timeoutMs, `the answer of the key agent to '${request.op}'`, parent)
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const reader = new FrameReader()
    const onData = (chunk: Buffer): void => {
      try {
        const [line] = reader.push(chunk)
        if (line !== undefined) resolve(line)
      } catch (error) {
        reject(error)
      }
    }
    const onClose = (): void => reject(new ConnectionEnd())
    const onAbort = (): void => reject(limit.signal.reason)
    socket.ref().on('data', onData).once('close', onClose)
    limit.signal.addEventListener('abort', onAbort, { once: true })
    try {
      limit.signal.throwIfAborted()
      socket.write(`${formatRequest(request)}\n`)
      return await promise
    } catch (error) {
      socket.destroy()
      this.#socket = undefined
      throw error instanceof TimeLimitError
        ? new KeyAgentError('KEY_AGENT_FAILED', errorMessage(error), {
            cause: error,
            hint: 'end its process and start it again'
          })
        : error
    } finally {
      limit.signal.removeEventListener('abort', onAbort)
      socket.off('data', onData).off('close', onClose).unref()
    }
  }
}

/** The agent hung up without an answer. */
class ConnectionEnd extends KeyAgentError {
  constructor() {
    super('KEY_AGENT_FAILED', 'the key agent ended the connection', {
      hint: "see whether it runs: nunet key agent --status; start it with 'nunet key agent'"
    })
  }
}
