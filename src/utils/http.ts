/**
 * One HTTP request with bounds: a signal on the whole, a limit on the body, no redirect followed, nothing kept open.
 * For the few services asked now and then; the daemon's own API has a client of its own.
 */

import type { IncomingMessage, request as Request } from 'node:http'
import { errorCode, errorMessage } from './error.ts'
import { HttpError } from './http-error.ts'

/** What is sent. */
export interface HttpRequest {
  /** Default `GET`. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | undefined
  /** Longest body read; a longer one is an error. */
  readonly maxBytes: number
}

/** What came back, whatever its status. */
export interface HttpAnswer {
  readonly status: number
  readonly body: Uint8Array
}

/** Makes one request to an `http:` or `https:` address. @throws HttpError; the signal's reason */
export async function httpExchange(
  url: URL,
  request: HttpRequest,
  { signal }: { readonly signal: AbortSignal }
): Promise<HttpAnswer> {
  signal.throwIfAborted()
  try {
    const response = await send(opener(url), url, request, signal)
    return { status: response.statusCode ?? 0, body: await readBody(response, request.maxBytes) }
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof HttpError) throw cause
    throw new HttpError(`'${url.origin}' cannot be asked: ${errorCode(cause) ?? errorMessage(cause)}`, {
      cause
    })
  }
}

/** Loaded at the first request: most commands make none. */
function opener(url: URL): typeof Request {
  if (url.protocol === 'https:') return process.getBuiltinModule('node:https').request
  if (url.protocol === 'http:') return process.getBuiltinModule('node:http').request
  throw new HttpError(`'${url.protocol}' is not http or https`)
}

async function send(
  open: typeof Request,
  url: URL,
  { method = 'GET', headers = {}, body }: HttpRequest,
  signal: AbortSignal
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const length = body === undefined ? {} : { 'Content-Length': String(body.length) }
  const outgoing = open(url, { method, headers: { ...headers, ...length }, agent: false, signal })
  outgoing.once('response', resolve).once('error', reject)
  outgoing.end(body)
  return await promise
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of response) {
      const bytes: Uint8Array = chunk
      size += bytes.length
      if (size > maxBytes) throw new HttpError(`the answer is longer than ${maxBytes} bytes`)
      chunks.push(bytes)
    }
    if (!response.complete) throw new HttpError('the answer broke off')
    return new Uint8Array(Buffer.concat(chunks))
  } finally {
    response.destroy()
  }
}
