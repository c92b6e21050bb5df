/** Payloads: JSON text as bytes, no bytes when there is none (identity-and-actors §8.4). */

import type { Result } from '../../types/index.ts'
import { bytesToUtf8, errorMessage, ok, refusal, refuse, utf8ToBytes } from '../../utils/index.ts'

/** `undefined` becomes no bytes. The value must be JSON-safe. */
export function encodePayload(payload: unknown): Uint8Array {
  const text = JSON.stringify(payload)
  return text === undefined ? new Uint8Array() : utf8ToBytes(text)
}

/** The value of a payload; no bytes read as `undefined`. Refusal `ACTOR_PAYLOAD_MALFORMED`. */
export function decodePayload(message: Uint8Array): Result<unknown> {
  if (message.length === 0) return ok(undefined)
  try {
    const value: unknown = JSON.parse(bytesToUtf8(message))
    return ok(value)
  } catch (error) {
    return refuse(refusal('ACTOR_PAYLOAD_MALFORMED', `payload is not JSON: ${errorMessage(error)}`))
  }
}
