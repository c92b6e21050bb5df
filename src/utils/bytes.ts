/** Conversions between bytes and text. All readers are strict: text that another writer would not produce is refused. */

import { SyntaxFault } from './error.ts'

const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 bytes of a text; a lone surrogate becomes U+FFFD. */
export function utf8ToBytes(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Decodes UTF-8; malformed input is a `SyntaxFault`, never a replacement character. */
export function bytesToUtf8(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes)
  } catch (cause) {
    throw new SyntaxFault('text is not valid UTF-8', { cause })
  }
}

/** Whether two arrays hold the same bytes. Stops at the first difference: not for comparing secrets. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

/** One array with the bytes of all, in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** Hexadecimal digits in lower case. */
export function bytesToHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

/** Reads hexadecimal digits of either case, an even number of them, without `0x`. */
export function hexToBytes(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw new SyntaxFault('text is not hexadecimal')
  return new Uint8Array(Buffer.from(text, 'hex'))
}

/** Standard base64 with padding (RFC 4648 §4), as Go's `encoding/json` writes byte slices. */
export function bytesToBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

/** Reads what `bytesToBase64` writes; another alphabet, missing padding or non-zero pad bits are refused. */
export function base64ToBytes(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new SyntaxFault('text is not canonical base64')
  return new Uint8Array(bytes)
}

const BASE32_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Base32 in upper case with `=` padding (RFC 4648 §6). */
export function bytesToBase32(bytes: Uint8Array): string {
  let text = ''
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += BASE32_ALPHABET[(buffer >> bits) & 31]
    }
  }
  if (bits > 0) text += BASE32_ALPHABET[(buffer << (5 - bits)) & 31]
  return text.padEnd(Math.ceil(text.length / 8) * 8, '=')
}

/** Reads what `bytesToBase32` writes; lower case, missing padding or non-zero pad bits are refused. */
export function base32ToBytes(text: string): Uint8Array {
  const digits = text.replace(/=+$/, '')
  const bytes: number[] = []
  let buffer = 0
  let bits = 0
  for (const digit of digits) {
    const value = BASE32_ALPHABET.indexOf(digit)
    if (value < 0) throw new SyntaxFault(`'${digit}' is not a base32 digit`)
    buffer = ((buffer << 5) | value) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push((buffer >> bits) & 0xff)
    }
  }
  const result = Uint8Array.from(bytes)
  if (bytesToBase32(result) !== text) throw new SyntaxFault('text is not canonical base32')
  return result
}
