/**
 * The REST server on `node:http`.
 *
 * Decision: no HTTP framework. Measured in a daemon on 2 cores, fastify with its dependencies added 20 MB of
 * resident memory and 58 ms of start; the daemon may use 140 MB and 1.5 s in all. Six fixed routes need no router,
 * and the schemas live in the declarations either way.
 *
 * What a stranger can do is bounded: size and time of requests, number of connections and of requests under way.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AbortOptions } from '../types/index.ts'
import { errorCode, errorMessage } from '../utils/index.ts'
import { readBody } from './body.ts'
import {
  CHECK_INTERVAL_MS,
  CORS_HEADERS,
  CORS_MAX_AGE_SECONDS,
  CORS_METHODS,
  HEADERS_TIMEOUT_MS,
  MAX_CONNECTIONS,
  MAX_REQUESTS,
  REQUEST_TIMEOUT_MS,
  STOP_GRACE_MS
} from './constants.ts'
import { ApiError, ApiListenError, errorAnswer } from './errors.ts'
import { checkCaller } from './guard.ts'
import { ROUTES } from './routes/index.ts'
import type { ApiDeps, ApiOptions, ApiServer, Route } from './types.ts'

/** Makes the server; `start` makes it listen. */
export function createApiServer(deps: ApiDeps, options: ApiOptions): ApiServer {
  return new HttpApiServer(deps, options)
}

class HttpApiServer implements ApiServer {
  readonly #deps: ApiDeps
  readonly #options: ApiOptions
  readonly #routes = new Map(ROUTES.map(route => [`${route.method} ${route.path}`, route]))
  readonly #running = new Set<Promise<void>>()
  #stopping = new AbortController()
  #server: Server | undefined

  constructor(deps: ApiDeps, options: ApiOptions) {
    this.#deps = deps
    this.#options = options
  }

  get address(): { address: string; port: number } | undefined {
    const bound = this.#server?.address()
    return typeof bound === 'object' && bound !== null
      ? { address: bound.address, port: bound.port }
      : undefined
  }

  async start({ signal }: AbortOptions = {}): Promise<void> {
    if (this.#server !== undefined) return
    signal?.throwIfAborted()
    this.#stopping = new AbortController()
    const server = createServer(serverLimits(this.#options))
    server.maxConnections = MAX_CONNECTIONS
    server.on('request', (request, response) => this.#track(this.#serve(request, response)))
    this.#server = server
    try {
      await listen(server, this.#options)
    } catch (error) {
      this.#server = undefined
      throw error
    }
  }

  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    this.#stopping.abort(new ApiError('API_BUSY', 'the node is stopping'))
    server.closeIdleConnections()
    const grace = this.#deps.clock.setTimer(STOP_GRACE_MS, () => server.closeAllConnections(), {
      keepAlive: true
    })
    await Promise.allSettled(this.#running)
    grace.cancel()
    server.closeAllConnections()
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #track(work: Promise<void>): void {
    this.#running.add(work)
    void work.finally(() => this.#running.delete(work))
  }

  /** Answers one request; never throws. */
  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      checkCaller(request, this.#options.address)
      addCorsHeaders(request, response)
      if (request.method === 'OPTIONS') return answer(response, 204, '')
      const route = this.#routes.get(`${request.method} ${(request.url ?? '').split('?')[0]}`)
      if (route === undefined) return answer(response, 404, '404 page not found', 'text/plain; charset=utf-8')
      if (this.#running.size >= (this.#options.maxRequests ?? MAX_REQUESTS)) {
        throw new ApiError('API_BUSY', 'too many requests are under way')
      }
      answer(response, 200, await this.#run(route, request, response))
    } catch (error) {
      this.#answerError(request, response, error)
    }
  }

  async #run(route: Route, request: IncomingMessage, response: ServerResponse): Promise<string> {
    const gone = new AbortController()
    const onClose = (): void => gone.abort(new ApiError('API_BUSY', 'the client went away'))
    response.once('close', onClose)
    try {
      const signal = AbortSignal.any([gone.signal, this.#stopping.signal])
      const body = route.method === 'POST' ? await readBody(request, signal) : new Uint8Array()
      return await route.handle({ ...this.#deps, body, signal })
    } finally {
      response.off('close', onClose)
    }
  }

  #answerError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { status, text } = errorAnswer(error)
    this.#deps.log.debug('request failed', {
      method: request.method,
      path: request.url,
      status,
      error: errorMessage(error)
    })
    // The rest of a body that was not read would be taken for the next request.
    if (!request.complete) response.setHeader('Connection', 'close')
    answer(response, status, JSON.stringify({ error: text }))
  }
}

function serverLimits(options: ApiOptions): Parameters<typeof createServer>[0] & object {
  return {
    headersTimeout: options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
    requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, options.headersTimeoutMs ?? CHECK_INTERVAL_MS)
  }
}

function answer(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'application/json; charset=utf-8'
): void {
  if (response.headersSent || response.destroyed) return
  response.statusCode = status
  if (body !== '') response.setHeader('Content-Type', type)
  response.setHeader('Cache-Control', 'no-store')
  response.end(body)
}

function addCorsHeaders(request: IncomingMessage, response: ServerResponse): void {
  const { origin } = request.headers
  if (origin === undefined) return
  response.setHeader('Access-Control-Allow-Origin', origin)
  response.setHeader('Vary', 'Origin')
  if (request.method !== 'OPTIONS') return
  response.setHeader('Access-Control-Allow-Methods', CORS_METHODS)
  response.setHeader('Access-Control-Allow-Headers', CORS_HEADERS)
  response.setHeader('Access-Control-Max-Age', String(CORS_MAX_AGE_SECONDS))
}

async function listen(server: Server, { address, port }: ApiOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onError = (cause: Error): void => reject(listenError(cause, address, port))
  server.once('error', onError)
  server.listen({ host: address, port }, resolve)
  await promise
  server.off('error', onError)
}

function listenError(cause: Error, address: string, port: number): ApiListenError {
  const details = { address, port }
  if (errorCode(cause) === 'EADDRINUSE') {
    return new ApiListenError('API_PORT_IN_USE', `port ${port} of ${address} is in use`, {
      cause,
      details,
      hint: "stop the program that uses it (another node?), or choose another port with 'nunet config set rest.port <port>'"
    })
  }
  return new ApiListenError(
    'API_LISTEN_FAILED',
    `cannot listen on ${address} port ${port}: ${errorCode(cause) ?? cause.message}`,
    {
      cause,
      details,
      hint: 'check rest.addr and rest.port in the configuration'
    }
  )
}
