import type { IncomingMessage } from 'node:http'
import { MAX_BODY_BYTES } from './constants.ts'
import { ApiError } from './errors.ts'

/**
 * The body of a request, whole. A body that claims to be something else than JSON is refused: a web page can send
 * other types without asking first. One that claims nothing is taken, since simple clients send none and a page
 * cannot leave out its `Origin`.
 *
 * @throws ApiError `API_CONTENT_TYPE`, `API_BODY_TOO_LARGE`.
 */
export async function readBody(request: IncomingMessage, signal: AbortSignal): Promise<Uint8Array> {
  const type = request.headers['content-type']
  if (type !== undefined && !/^application\/([a-z0-9.+-]*\+)?json\s*(;|$)/i.test(type)) {
    throw new ApiError('API_CONTENT_TYPE', `content type '${type.slice(0, 100)}' is not application/json`)
  }
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    // without an encoding a stream yields bytes
    signal.throwIfAborted()
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

function tooLarge(): ApiError {
  return new ApiError('API_BODY_TOO_LARGE', `body is larger than ${MAX_BODY_BYTES} bytes`)
}
