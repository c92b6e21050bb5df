/** Payloads: JSON text as bytes, no bytes when there is none (identity-and-actors §8.4). */

import type { Result } from '../../types/index.ts'
import { bytesToUtf8, errorMessage, ok, refusal, refuse, utf8ToBytes } from '../../utils/index.ts'

/** `undefined` becomes no bytes. The value must be JSON-safe. */
export function encodePayload(payload: unknown): Uint8Array {
  const text = JSON.stringify(payload)
  return text === undefined ? new Uint8Array() : utf8ToBytes(text)
}

/**
 * The value of a payload; no bytes read as `undefined`. Refusal `ACTOR_PAYLOAD_MALFORMED`.
 *
 * With `exact` numbers keep their digits, see `exactJson`. Only what carries tokens needs that; it costs a call for
 * each member.
 */
export function decodePayload(message: Uint8Array, options: { exact?: boolean } = {}): Result<unknown> {
  if (message.length === 0) return ok(undefined)
  try {
    const text = bytesToUtf8(message)
    return ok(options.exact === true ? exactJson(text) : JSON.parse(text))
  } catch (error) {
    return refuse(refusal('ACTOR_PAYLOAD_MALFORMED', `payload is not JSON: ${errorMessage(error)}`))
  }
}

/** The parts of `JSON` of ECMAScript 2026 that keep the text of a number. */
const JSON_WITH_SOURCE = JSON as unknown as {
  // newer than the compiler's library
  parse(
    text: string,
    reviver: (name: string, value: unknown, context: { readonly source?: string }) => unknown
  ): unknown
  rawJSON(text: string): object
}

/**
 * Reads JSON so that it prints again with the same digits: an integer that a JavaScript number cannot hold (expiry
 * in nanoseconds, §0.3) becomes an opaque object which `JSON.stringify` prints as it was written. Nothing else in
 * the value differs from what `JSON.parse` gives, and text from elsewhere cannot make such an object.
 * @throws SyntaxError
 */
export function exactJson(text: string): unknown {
  return JSON_WITH_SOURCE.parse(text, (_name, value, { source }) =>
    typeof value === 'number' &&
    !Number.isSafeInteger(value) &&
    source !== undefined &&
    /^-?\d+$/.test(source)
      ? JSON_WITH_SOURCE.rawJSON(source)
      : value
  )
}
