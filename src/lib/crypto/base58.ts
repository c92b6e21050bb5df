/** Base58 in the Bitcoin alphabet, as peer ids and `did:key` use it. Bijective: each byte string has one text. */

import { KeyFormatError } from './errors.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** Values by character code; -1 for what is not a digit. */
const VALUES = Int8Array.from({ length: 128 }, (_, code) => ALPHABET.indexOf(String.fromCharCode(code)))

/** Longest text read. The conversion is quadratic; the longest key text is below 60 digits. */
export const MAX_BASE58_LENGTH = 128

/** The only text of these bytes; leading zero bytes become `1`. */
export function bytesToBase58(bytes: Uint8Array): string {
  const zeros = leadingZeros(bytes)
  const digits = changeBase(bytes.subarray(zeros), 256, 58)
  return ALPHABET.charAt(0).repeat(zeros) + Array.from(digits, value => ALPHABET[value]).join('')
}

/** @throws KeyFormatError for another alphabet or a text longer than `MAX_BASE58_LENGTH`. */
export function base58ToBytes(text: string): Uint8Array {
  if (text.length > MAX_BASE58_LENGTH)
    throw new KeyFormatError(`base58 text is longer than ${MAX_BASE58_LENGTH} digits`)
  const values = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) values[at] = valueAt(text, at)
  const zeros = leadingZeros(values)
  const body = changeBase(values.subarray(zeros), 58, 256)
  const bytes = new Uint8Array(zeros + body.length)
  bytes.set(body, zeros)
  return bytes
}

function valueAt(text: string, at: number): number {
  const value = VALUES[text.charCodeAt(at)] ?? -1
  if (value < 0)
    throw new KeyFormatError(`'${String.fromCodePoint(Number(text.codePointAt(at)))}' is not a base58 digit`)
  return value
}

function leadingZeros(values: Uint8Array): number {
  const first = values.findIndex(value => value !== 0)
  return first === -1 ? values.length : first
}

/** Digits taken at once: three of either base, multiplied by the other base, stay below 2^31. */
const CHUNK = 3

/** Rewrites a number, most significant digit first and without leading zeros, from one base to another. */
function changeBase(digits: Uint8Array, from: number, to: number): Uint8Array {
  const out = new Uint8Array(digits.length * 2) // least significant first; 256 needs 1.37 digits of 58
  let length = 0
  let chunk = digits.length % CHUNK || CHUNK // so that the last one is full
  let at = 0
  while (at < digits.length) {
    let carry = 0
    for (const end = at + chunk; at < end; at++) carry = carry * from + Number(digits[at])
    const factor = from ** chunk
    for (let index = 0; index < length || carry > 0; index++) {
      carry += Number(out[index]) * factor
      out[index] = carry % to
      carry = (carry / to) | 0
      if (index >= length) length = index + 1
    }
    chunk = CHUNK
  }
  return out.subarray(0, length).reverse()
}
