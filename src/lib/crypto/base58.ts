/** Base58 in the Bitcoin alphabet, as peer ids and `did:key` use it. Bijective: each byte string has one text. */

import { KeyFormatError } from './errors.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const VALUES = new Map([...ALPHABET].map((digit, value) => [digit, value]))

/** Longest text read. The conversion is quadratic; the longest key text is below 60 digits. */
export const MAX_BASE58_LENGTH = 128

/** The only text of these bytes; leading zero bytes become `1`. */
export function bytesToBase58(bytes: Uint8Array): string {
  return (
    leadingZeros(bytes) +
    changeBase(bytes, 256, 58)
      .map(value => ALPHABET[value])
      .join('')
  )
}

/** @throws KeyFormatError for another alphabet or a text longer than `MAX_BASE58_LENGTH`. */
export function base58ToBytes(text: string): Uint8Array {
  if (text.length > MAX_BASE58_LENGTH)
    throw new KeyFormatError(`base58 text is longer than ${MAX_BASE58_LENGTH} digits`)
  const values = Array.from(text, digit => {
    const value = VALUES.get(digit)
    if (value === undefined) throw new KeyFormatError(`'${digit}' is not a base58 digit`)
    return value
  })
  const zeros = values.findIndex(value => value !== 0)
  const body = changeBase(values, 58, 256)
  const padding = zeros === -1 ? values.length : zeros
  const bytes = new Uint8Array(padding + body.length)
  bytes.set(body, padding)
  return bytes
}

function leadingZeros(bytes: Uint8Array): string {
  const first = bytes.findIndex(byte => byte !== 0)
  return '1'.repeat(first === -1 ? bytes.length : first)
}

/** Rewrites a number, most significant digit first, from one base to another; without leading zeros. */
function changeBase(digits: Iterable<number>, from: number, to: number): number[] {
  const out: number[] = [] // least significant first
  for (const digit of digits) {
    let carry = digit
    for (let index = 0; index < out.length; index++) {
      carry += (out[index] ?? 0) * from
      out[index] = carry % to
      carry = Math.floor(carry / to)
    }
    for (; carry > 0; carry = Math.floor(carry / to)) out.push(carry % to)
  }
  return out.reverse()
}
