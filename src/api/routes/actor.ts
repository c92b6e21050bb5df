/** The bridge between programs and actors (cli-api-config §4.1): envelopes are forwarded as they are, their signatures speak for them. */

import {
  decodeEnvelope,
  type Envelope,
  encodeEnvelope,
  formatHandle,
  handleToWire,
  isEmptyHandle
} from '../../actor/message/index.ts'
import { bytesToUtf8, errorCode, errorMessage } from '../../utils/index.ts'
import { ApiError, STATUS_OF } from '../errors.ts'
import { ref } from '../schemas.ts'
import type { Route, RouteRequest } from '../types.ts'

const MESSAGE_ERRORS = { 400: 'the body is not a valid envelope', 500: 'the message could not be sent' }

export const actorRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/actor/handle',
    id: 'getHandle',
    summary: "Handle of the node's root actor",
    response: ref('Handle'),
    handle: ({ handle }) => JSON.stringify(handleToWire(handle))
  },
  {
    method: 'POST',
    path: '/api/v1/actor/send',
    id: 'sendMessage',
    summary: 'Send a message',
    description: 'Forwards the envelope and answers when it was handed over, which is no acknowledgement.',
    request: 'Envelope',
    response: { type: 'object', required: ['message'], properties: { message: { const: 'message sent' } } },
    errors: MESSAGE_ERRORS,
    handle: sendMessage
  },
  {
    method: 'POST',
    path: '/api/v1/actor/invoke',
    id: 'invokeBehavior',
    summary: 'Send a message and wait for the reply',
    description: "Replies are handed back unverified, routed by the inbox of 'from': check their signature.",
    request: 'Envelope',
    response: ref('Envelope'),
    errors: { ...MESSAGE_ERRORS, 408: 'no reply before the message expired' },
    handle: invokeBehavior
  },
  {
    method: 'POST',
    path: '/api/v1/actor/broadcast',
    id: 'broadcastMessage',
    summary: 'Publish a message and collect the replies until it expires',
    request: 'Envelope',
    response: { type: ['array', 'null'], items: ref('Envelope') },
    errors: { ...MESSAGE_ERRORS, 400: 'the body is not a valid envelope, or not a broadcast' },
    handle: broadcastMessage
  }
]

async function sendMessage({ gateway, body, signal }: RouteRequest): Promise<string> {
  const envelope = readEnvelope(body)
  await forward(envelope, () => gateway.send(envelope, { signal }))
  return JSON.stringify({ message: 'message sent' })
}

async function invokeBehavior({ gateway, body, signal }: RouteRequest): Promise<string> {
  const envelope = readEnvelope(body)
  return bytesToUtf8(encodeEnvelope(await forward(envelope, () => gateway.invoke(envelope, { signal }))))
}

async function broadcastMessage({ gateway, body, signal }: RouteRequest): Promise<string> {
  const envelope = readEnvelope(body)
  if (!isEmptyHandle(envelope.to) || envelope.options.topic === '') {
    throw new ApiError('API_NOT_BROADCAST', 'message is not a broadcast message')
  }
  const replies = await forward(envelope, () => gateway.broadcast(envelope, { signal }))
  return replies.length === 0
    ? 'null'
    : `[${replies.map(reply => bytesToUtf8(encodeEnvelope(reply))).join(',')}]`
}

function readEnvelope(body: Uint8Array): Envelope {
  const decoded = decodeEnvelope(body)
  if (decoded.ok) return decoded.value
  throw new ApiError('API_BODY_INVALID', decoded.error.message)
}

/** Says to whom a message could not be sent; faults with a status of their own pass as they are. */
async function forward<T>(envelope: Envelope, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (STATUS_OF[errorCode(cause) ?? ''] !== undefined) throw cause
    const what = isEmptyHandle(envelope.to)
      ? 'publish message'
      : `send message to ${formatHandle(envelope.to)}`
    throw new ApiError('API_SEND_FAILED', `failed to ${what}: ${errorMessage(cause)}`, { cause })
  }
}
