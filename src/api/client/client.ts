/**
 * The client proper. Every request has a limit on the time to connect, on the whole, and on the size of the
 * answer, so a command never hangs on a silent or babbling port. Texts of errors are those programs know from the
 * existing client (cli-api-config §1.4).
 */

import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import type { AbortOptions, Clock } from '../../types/index.ts'
import { deadline, errorCode, errorMessage, TimeLimitError } from '../../utils/index.ts'
import {
  ApiCanceledError,
  ApiProtocolError,
  ApiStatusError,
  ApiTimeoutError,
  ApiUnreachableError
} from './errors.ts'

/** Time to connect (cli-api-config §1.4). */
const CONNECT_TIMEOUT_MS = 10_000
/** Time for a whole request when the caller says nothing (cli-api-config §1.4). */
const REQUEST_TIMEOUT_MS = 30_000
/** Answers of one envelope are at most 1 MiB; a broadcast collects many. */
const MAX_ANSWER_BYTES = 64 * 2 ** 20
/** Longest part of a foreign error body that is shown. */
const MAX_SHOWN_BODY = 2000
/** Parallel requests of one command: a long poll for logs beside one for events, and short calls. */
const MAX_SOCKETS = 64

/** Where the daemon listens. */
export interface ApiClientOptions {
  /** `rest.addr`; a wildcard address is taken for the loopback of its family. */
  address: string
  /** `rest.port`. */
  port: number
  connectTimeoutMs?: number
}

/** Limits of one request. */
export interface ApiRequestOptions extends AbortOptions {
  /** Limit on the whole request, 30 s unless given. */
  timeoutMs?: number
  /** Told when something has taken the connection, before it answers. */
  onConnected?: () => void
}

/** The routes of a node. All bodies are JSON as bytes. Dispose it, or its kept connections hold the process. */
export interface ApiClient extends Disposable {
  /** Where requests go, for messages: `127.0.0.1:9999`. */
  readonly target: string
  /** Handle of the node's root actor. */
  handle(options?: ApiRequestOptions): Promise<Uint8Array>
  /** Forwards an envelope; the answer says only that it was handed over. */
  send(envelope: Uint8Array, options?: ApiRequestOptions): Promise<Uint8Array>
  /** Forwards an envelope and returns the reply envelope. */
  invoke(envelope: Uint8Array, options?: ApiRequestOptions): Promise<Uint8Array>
  /** Publishes an envelope and returns the array of reply envelopes, `null` for none, when the message has expired. */
  broadcast(envelope: Uint8Array, options?: ApiRequestOptions): Promise<Uint8Array>
  /** Asks whether the node is up. */
  health(options?: ApiRequestOptions): Promise<Uint8Array>
}

/** Makes a client; it connects with its first request. */
export function createApiClient(deps: { clock: Clock }, options: ApiClientOptions): ApiClient {
  return new HttpApiClient(deps, options)
}

class HttpApiClient implements ApiClient {
  readonly target: string
  readonly #clock: Clock
  readonly #host: string
  readonly #port: number
  readonly #connectTimeoutMs: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS })

  constructor({ clock }: { clock: Clock }, options: ApiClientOptions) {
    this.#clock = clock
    this.#host = dialAddress(options.address)
    this.#port = options.port
    this.#connectTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS
    this.target = `${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.#port}`
  }

  handle(options?: ApiRequestOptions): Promise<Uint8Array> {
    return this.#exchange('GET', '/api/v1/actor/handle', undefined, options)
  }

  send(envelope: Uint8Array, options?: ApiRequestOptions): Promise<Uint8Array> {
    return this.#exchange('POST', '/api/v1/actor/send', envelope, options)
  }

  invoke(envelope: Uint8Array, options?: ApiRequestOptions): Promise<Uint8Array> {
    return this.#exchange('POST', '/api/v1/actor/invoke', envelope, options)
  }

  broadcast(envelope: Uint8Array, options?: ApiRequestOptions): Promise<Uint8Array> {
    return this.#exchange('POST', '/api/v1/actor/broadcast', envelope, options)
  }

  health(options?: ApiRequestOptions): Promise<Uint8Array> {
    return this.#exchange('GET', '/health', undefined, options)
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }

  async #exchange(
    method: string,
    path: string,
    body: Uint8Array | undefined,
    options: ApiRequestOptions = {}
  ): Promise<Uint8Array> {
    using limit = deadline(
      this.#clock,
      options.timeoutMs ?? REQUEST_TIMEOUT_MS,
      'the request',
      options.signal
    )
    try {
      limit.signal.throwIfAborted()
      const response = await this.#open(method, path, body, {
        signal: limit.signal,
        onConnected: options.onConnected
      })
      const answer = await readBody(response)
      const status = response.statusCode ?? 0
      if (status >= 200 && status < 300) return answer
      throw statusError(status, answer)
    } catch (error) {
      throw this.#explain(error, limit.signal, options.signal)
    }
  }

  #open(
    method: string,
    path: string,
    body: Uint8Array | undefined,
    { signal, onConnected }: { signal: AbortSignal; onConnected: (() => void) | undefined }
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const headers: Record<string, string | number> = { Host: this.target, Accept: 'application/json' }
    if (body !== undefined)
      Object.assign(headers, { 'Content-Type': 'application/json', 'Content-Length': body.length })
    const outgoing = httpRequest({
      host: this.#host,
      port: this.#port,
      method,
      path,
      headers,
      agent: this.#agent,
      signal
    })
    const connecting = this.#clock.setTimer(this.#connectTimeoutMs, () =>
      outgoing.destroy(new ApiUnreachableError(`request failed: dial tcp ${this.target}: i/o timeout`))
    )
    const connected = (): void => {
      connecting.cancel()
      onConnected?.()
    }
    outgoing.on('socket', socket => {
      if (socket.connecting) socket.once('connect', connected)
      else connected()
    })
    outgoing.once('response', resolve)
    outgoing.once('close', () => connecting.cancel())
    outgoing.on('error', reject)
    outgoing.end(body)
    return promise
  }

  #explain(error: unknown, signal: AbortSignal, callers: AbortSignal | undefined): unknown {
    if (callers?.aborted) {
      return callers.reason instanceof TimeLimitError
        ? new ApiTimeoutError(`request deadline exceeded: ${errorMessage(callers.reason)}`, { cause: error })
        : new ApiCanceledError(`request canceled: ${errorMessage(callers.reason)}`, { cause: error })
    }
    if (signal.aborted) {
      return new ApiTimeoutError(`request deadline exceeded: ${errorMessage(signal.reason)}`, {
        cause: error,
        hint: 'the daemon answers slowly; give it longer with --timeout'
      })
    }
    return explainFailure(error, this.target)
  }
}

const DIAL_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  EADDRNOTAVAIL: 'connect: cannot assign requested address',
  ENOTFOUND: 'lookup: no such host',
  EAI_AGAIN: 'lookup: temporary failure in name resolution',
  ETIMEDOUT: 'i/o timeout'
}

function explainFailure(error: unknown, target: string): unknown {
  const code = errorCode(error) ?? ''
  const reason = DIAL_REASONS[code]
  if (reason !== undefined) {
    return new ApiUnreachableError(`request failed: dial tcp ${target}: ${reason}`, {
      cause: error,
      hint: "start the daemon with 'nunet run', or name its address with --rest-addr and --rest-port"
    })
  }
  if (code.startsWith('HPE_')) {
    return new ApiProtocolError(
      `request failed: what listens on ${target} does not speak plain HTTP (an https server?)`,
      {
        cause: error,
        hint: 'check rest.addr and rest.port'
      }
    )
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return new ApiUnreachableError(`request failed: ${target} closed the connection`, {
      cause: error,
      hint: 'the daemon may have stopped; look at its log'
    })
  }
  return error
}

function statusError(status: number, body: Uint8Array): Error {
  const text = new TextDecoder().decode(body.subarray(0, MAX_SHOWN_BODY)).trim()
  const message = `request failed with status ${status}: ${text}`
  if (status !== 408) return new ApiStatusError(message, status)
  return new ApiTimeoutError(message, {
    details: { status },
    hint: "no reply came: the node is away, or it does not know you; check its capabilities with 'nunet cap list' there, or raise --timeout"
  })
}

async function readBody(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    // without an encoding a stream yields bytes
    size += chunk.length
    if (size > MAX_ANSWER_BYTES)
      throw new ApiProtocolError(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

function dialAddress(address: string): string {
  const bare = address.replace(/^\[(.*)\]$/, '$1')
  if (bare === '' || bare === '0.0.0.0') return '127.0.0.1'
  return bare === '::' ? '::1' : bare
}
