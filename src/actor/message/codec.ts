/**
 * Envelopes as bytes (identity-and-actors §8.2). Reading keeps every value that is part of the signed form, and
 * writing puts the members in the order the signature was made over; what the sender's text looked like is lost
 * on purpose, as in Go, where the verifier writes the message anew before it checks.
 */

import type { Result } from '../../types/index.ts'
import {
  base64ToBytes,
  bytesToBase64,
  bytesToUtf8,
  errorMessage,
  type GoJsonObject,
  goJsonString,
  goMember,
  ok,
  parseGoJson,
  refusal,
  refuse,
  SyntaxFault,
  utf8ToBytes
} from '../../utils/index.ts'
import {
  MAX_ENVELOPE_BYTES,
  MAX_ENVELOPE_COMMAS,
  MAX_ENVELOPE_DEPTH,
  MAX_NAME_LENGTH,
  MAX_UINT64
} from './constants.ts'
import { encodeHandle, memberText, objectOf, readHandle } from './handle.ts'
import type { Envelope, EnvelopeOptions, UnsignedEnvelope } from './types.ts'

/** The envelope as compact JSON: what travels, and what the REST endpoints take. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  return utf8ToBytes(envelopeText(envelope, envelope.signature))
}

/** The envelope's JSON without its signature: what is signed, after the prefix (§8.3). */
export function unsignedText(envelope: UnsignedEnvelope): string {
  return envelopeText(envelope, new Uint8Array())
}

/** Reads an envelope; a refusal `ACTOR_MESSAGE_MALFORMED` says what does not fit. Nothing is verified here. */
export function decodeEnvelope(bytes: Uint8Array): Result<Envelope> {
  try {
    return ok(readEnvelope(bytes))
  } catch (error) {
    return refuse(refusal('ACTOR_MESSAGE_MALFORMED', `not a message: ${errorMessage(error)}`))
  }
}

function envelopeText(envelope: UnsignedEnvelope, signature: Uint8Array): string {
  return (
    `{"to":${encodeHandle(envelope.to)},"be":${goJsonString(envelope.behavior)},"from":${encodeHandle(envelope.from)}` +
    `,"nonce":${envelope.nonce},"opt":${optionsText(envelope.options)},"msg":"${bytesToBase64(envelope.message)}"` +
    `${optionalBytes('cap', envelope.capabilities)}${optionalBytes('sig', signature)}}`
  )
}

function optionsText(options: EnvelopeOptions): string {
  const replyTo = options.replyTo === '' ? '' : `,"cont":${goJsonString(options.replyTo)}`
  const topic = options.topic === '' ? '' : `,"topic":${goJsonString(options.topic)}`
  return `{"exp":${options.expiresAtNs}${replyTo}${topic}}`
}

function optionalBytes(name: string, bytes: Uint8Array): string {
  return bytes.length === 0 ? '' : `,"${name}":"${bytesToBase64(bytes)}"`
}

function readEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > MAX_ENVELOPE_BYTES)
    throw new SyntaxFault(`it is longer than ${MAX_ENVELOPE_BYTES} bytes`)
  const text = bytesToUtf8(bytes)
  if (hasMoreCommas(text, MAX_ENVELOPE_COMMAS))
    throw new SyntaxFault(`it has more than ${MAX_ENVELOPE_COMMAS} commas`)
  const document = parseGoJson(text, { maxLength: MAX_ENVELOPE_BYTES, maxDepth: MAX_ENVELOPE_DEPTH })
  if (!(document instanceof Map)) throw new SyntaxFault('it is not an object')
  const options = objectOf(goMember(document, 'opt'), 'opt')
  return {
    to: readHandle(goMember(document, 'to')),
    behavior: memberName(document, 'be'),
    from: readHandle(goMember(document, 'from')),
    nonce: memberUint64(document, 'nonce'),
    options: {
      expiresAtNs: memberUint64(options, 'exp'),
      replyTo: memberName(options, 'cont'),
      topic: memberName(options, 'topic')
    },
    message: base64ToBytes(memberText(document, 'msg')),
    capabilities: base64ToBytes(memberText(document, 'cap')),
    signature: base64ToBytes(memberText(document, 'sig'))
  }
}

function hasMoreCommas(text: string, limit: number): boolean {
  let count = 0
  for (let at = text.indexOf(','); at >= 0; at = text.indexOf(',', at + 1)) {
    if (++count > limit) return true
  }
  return false
}

function memberName(object: GoJsonObject, name: string): string {
  const text = memberText(object, name)
  if (text.length > MAX_NAME_LENGTH)
    throw new SyntaxFault(`'${name}' is longer than ${MAX_NAME_LENGTH} characters`)
  return text
}

function memberUint64(object: GoJsonObject, name: string): bigint {
  const value = goMember(object, name) ?? 0n
  if (typeof value === 'bigint' && value >= 0n && value <= MAX_UINT64) return value
  throw new SyntaxFault(`'${name}' must be an unsigned 64-bit integer`)
}
